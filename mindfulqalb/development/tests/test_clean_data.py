"""`make clean-data` deletes what is ours, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mindfulqalb.development.clean_data import clean
from mindfulqalb.development.data_directory import only_user
from mindfulqalb.development.errors import DevelopmentError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as a run leaves it, where every user may pass."""
    folder = tmp_path / "data"
    (folder / "servers" / "postgres").mkdir(parents=True)
    for name in ("beat.dat", "sandbox.sqlite3", "sandbox.sqlite3-wal", "development.env", "lock"):
        (folder / name).touch()
    return folder


def test_folder_that_holds_only_ours_goes(data: Path) -> None:
    clean(data)
    assert not data.exists()


def test_what_is_not_ours_stays(data: Path) -> None:
    (data / "diary.txt").write_text("mine")
    clean(data)
    assert [(path.name, path.read_text()) for path in data.iterdir()] == [("diary.txt", "mine")]


def test_nothing_goes_while_something_runs_from_it(data: Path) -> None:
    before = sorted(data.rglob("*"))
    with only_user(data), pytest.raises(DevelopmentError, match=f"running from {data} already"):
        clean(data)
    assert sorted(data.rglob("*")) == before


def test_missing_folder_is_clean_already(tmp_path: Path) -> None:
    clean(tmp_path / "data")
    assert list(tmp_path.iterdir()) == []
