"""Where the servers' files go, and that nobody else's folder is taken for ours."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from mindfulqalb.development.account import make_server_home, server_account, server_home
from mindfulqalb.development.errors import DevelopmentError


def test_files_lie_in_the_data_directory_when_the_servers_can_reach_it() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        assert server_home(Path(name) / ".data") == Path(name) / ".data" / "servers"


def test_files_of_root_lie_elsewhere_when_the_way_is_barred() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o700)
        home, again, other = (server_home(Path(name) / data) for data in ("a", "a", "b"))
        elsewhere = home.parent == Path("/var/tmp") and home.name.startswith("mindfulqalb-")
    assert (home == again, home == other) == (True, False)
    assert elsewhere == (server_account() is not None)


def test_home_belongs_to_the_servers_alone(tmp_path: Path) -> None:
    account = server_account()
    make_server_home(tmp_path / "servers", account)
    found = (tmp_path / "servers").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o700, account.uid if account else os.geteuid())


@pytest.mark.parametrize("occupant", ["file", "link"])
def test_what_is_no_folder_of_ours_is_refused(tmp_path: Path, occupant: str) -> None:
    home = tmp_path / "servers"
    if occupant == "link":
        home.symlink_to(tmp_path)
    else:
        home.touch()
    mode = stat.S_IMODE(tmp_path.stat().st_mode)
    with pytest.raises(DevelopmentError, match=f"^{home} cannot be used"):
        make_server_home(home, server_account())
    assert (stat.S_IMODE(tmp_path.stat().st_mode), tmp_path.stat().st_uid) == (mode, os.geteuid())
