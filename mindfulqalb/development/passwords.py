"""The password that keeps other users of this machine out of the private servers."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def kept_password(home: Path) -> str:
    """Return the servers' password; made at the first call and kept beside the data, readable by their owner alone."""
    path = home / "password"
    if not path.exists():
        unfinished = home / f".password-{os.getpid()}"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(24))
        unfinished.rename(path)
    return path.read_text(encoding="ascii")
