"""The data folder: ours alone, and for one run at a time."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mindfulqalb.development.account import server_account
from mindfulqalb.development.data_directory import data_directory, make_data_directory, only_user
from mindfulqalb.development.errors import DevelopmentError

SOMEBODY_ELSE = 54321


@pytest.mark.parametrize(("given", "expected"), [("/a/b", "/a/b"), ("", str(Path(__file__).parents[3] / ".data"))])
def test_folder_is_the_given_one_or_lies_beside_the_code(
    monkeypatch: pytest.MonkeyPatch, given: str, expected: str
) -> None:
    monkeypatch.setenv("DATA_DIR", given)
    assert str(data_directory()) == expected


def test_new_folder_shows_nobody_what_is_in_it(tmp_path: Path) -> None:
    make_data_directory(tmp_path / "a" / "b")
    mode = stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode)
    assert mode == (0o711 if server_account() else 0o700)


def test_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_data_directory(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_folder_of_another_user_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "theirs" if os.geteuid() == 0 else Path("/")
    if os.geteuid() == 0:
        folder.mkdir()
        os.chown(folder, SOMEBODY_ELSE, SOMEBODY_ELSE)
    before = folder.stat()
    with pytest.raises(DevelopmentError) as refusal:
        make_data_directory(folder)
    assert str(refusal.value) == f"{folder} cannot be used: it belongs to another user. Choose another with DATA_DIR."
    assert (folder.stat().st_mode, folder.stat().st_uid) == (before.st_mode, before.st_uid)


def test_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DevelopmentError) as refusal:
        make_data_directory(tmp_path / "file" / "data")
    assert str(refusal.value) == (
        f"{tmp_path}/file/data cannot be used: Not a directory. Choose another with DATA_DIR."
    )


def test_second_user_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    with only_user(tmp_path):
        with pytest.raises(DevelopmentError) as refusal, only_user(tmp_path):
            pass
        assert str(refusal.value) == (
            f"`make run` is running from {tmp_path} already (process {os.getpid()}). "
            "Stop that one, or choose another folder with DATA_DIR and other ports."
        )
    with only_user(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
