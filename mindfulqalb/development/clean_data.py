"""Delete what `make run` keeps: `python -m mindfulqalb.development.clean_data`."""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from mindfulqalb.development.account import server_home
from mindfulqalb.development.data_directory import data_directory, only_user
from mindfulqalb.development.errors import DevelopmentError

if TYPE_CHECKING:
    from pathlib import Path

# What we keep, and nothing else: DATA_DIR may be anybody's folder.
KEPT = ("servers", "development.env", ".development.env-*", "beat*", "sandbox.sqlite3*", "lock")


def clean(directory: Path) -> None:
    """Delete what we keep in a data directory. Raises `DevelopmentError` while something runs from it."""
    if not directory.exists():  # root's servers may have a folder elsewhere all the same
        shutil.rmtree(server_home(directory), ignore_errors=True)
        return
    with only_user(directory):
        for path in [server_home(directory), *(path for name in KEPT for path in directory.glob(name))]:
            try:
                _delete(path)
            except OSError as error:
                raise DevelopmentError(f"{error.filename} cannot be deleted: {error.strerror}") from error
    with suppress(OSError):  # not empty: it holds something of somebody else's
        directory.rmdir()


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main() -> int:
    """Clean; return the exit status."""
    directory = data_directory()
    try:
        clean(directory)
    except DevelopmentError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"The development data in {directory} are gone.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
