"""A folder for servers that live as long as a test run."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mindfulqalb.development.account import make_server_home, server_account

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "mindfulqalb-run-"
MAKING_SECONDS = 60  # no run needs longer between making its folder and locking it


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Make a folder that the servers can reach and that is gone at the end; also remove those of killed runs."""
    _remove_abandoned(Path(tempfile.gettempdir()))
    home = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = _lock(home)
    try:
        make_server_home(home, server_account())
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
        os.close(lock)


def _remove_abandoned(parent: Path) -> None:
    """A run holds a lock on its folder that goes with its process."""
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # in use, somebody else's, or just being removed
            if time.time() - path.stat().st_mtime > MAKING_SECONDS:
                lock = _lock(path)
                shutil.rmtree(path, ignore_errors=True)
                os.close(lock)


def _lock(path: Path) -> int:
    """Lock a folder; return what to close in the end. Raises `OSError` when somebody else has locked it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
