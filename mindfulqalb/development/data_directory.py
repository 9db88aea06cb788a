"""The folder of everything that `make run` keeps, used by one run at a time."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mindfulqalb.development.account import server_account
from mindfulqalb.development.errors import DevelopmentError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]


def data_directory() -> Path:
    """Return DATA_DIR, or `.data` beside the code."""
    return Path(os.environ.get("DATA_DIR") or ROOT / ".data").resolve()


def make_data_directory(directory: Path) -> None:
    """Make the folder, for us alone; for root, its servers' account may pass through to their own folder.

    Raises `DevelopmentError` when it is somebody else's: what we put there, its owner could neither read nor remove.
    """
    try:
        if not directory.exists():
            directory.mkdir(parents=True)
            directory.chmod(0o711 if server_account() else 0o700)
        if directory.stat().st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, "it belongs to another user")
    except OSError as error:
        raise DevelopmentError(
            f"{directory} cannot be used: {error.strerror}. Choose another with DATA_DIR."
        ) from error


@contextmanager
def only_user(directory: Path) -> Iterator[None]:
    """Keep a second run out while the context lasts; a killed one leaves nothing behind that would do so."""
    path = directory / "lock"
    try:
        file = path.open("a+", encoding="ascii")
    except OSError as error:
        raise DevelopmentError(f"{path} cannot be opened: {error.strerror}. Choose another DATA_DIR.") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise DevelopmentError(
                f"`make run` is running from {directory} already (process {file.read().strip() or 'unknown'}). "
                "Stop that one, or choose another folder with DATA_DIR and other ports."
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
