"""Folders of test runs go, those of killed runs with the next one."""

from __future__ import annotations

import os
import tempfile
import time
from typing import TYPE_CHECKING

from mindfulqalb.development.temporary_home import MAKING_SECONDS, PREFIX, temporary_home

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_folders_of_killed_runs_are_removed_and_those_in_use_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    abandoned, begun, foreign = (tmp_path / name for name in (f"{PREFIX}abandoned", f"{PREFIX}begun", "foreign"))
    for folder in (abandoned, begun, foreign):
        folder.mkdir()
        (folder / "file").touch()
    with temporary_home() as used:
        long_ago = time.time() - 2 * MAKING_SECONDS
        for folder in (abandoned, foreign, used):
            os.utime(folder, (long_ago, long_ago))
        with temporary_home() as own:
            assert set(tmp_path.iterdir()) == {begun, foreign, used, own}
    assert set(tmp_path.iterdir()) == {begun, foreign}
