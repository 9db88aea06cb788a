"""The account that the embedded servers run as, and the folder that it can reach.

PostgreSQL refuses to run as root, so root's servers run as `postgres` or `nobody`, with their files where those can
reach them.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from mindfulqalb.development.errors import DevelopmentError

UNPRIVILEGED_NAMES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of this machine that is not us."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """Return whom the servers run as; None means as ourselves, which is right for everybody but root."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise DevelopmentError(f"This machine has none of the users {', '.join(UNPRIVILEGED_NAMES)} to run PostgreSQL as.")


def server_home(data_directory: Path) -> Path:
    """Return the folder of the servers that belong to a data directory; the same one each time."""
    data_directory = data_directory.resolve()
    if server_account() is None or _is_reachable(data_directory):
        return data_directory / "servers"
    digest = hashlib.sha256(os.fsencode(data_directory)).hexdigest()[:12]
    return Path("/var/tmp") / f"mindfulqalb-{digest}"  # noqa: S108  (its owner is checked before use)


def make_server_home(home: Path, account: Account | None) -> None:
    """Make the folder, readable by its servers alone.

    Raises `DevelopmentError` when it belongs to somebody else, for example after a run as root.
    """
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        found = home.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in {os.geteuid(), account.uid if account else -1}:
            raise PermissionError
        home.chmod(0o700)
        if account:
            os.chown(home, account.uid, account.gid)
    except OSError as error:
        raise DevelopmentError(
            f"{home} cannot be used: it belongs to another user. Remove it, or choose another folder with DATA_DIR."
        ) from error


def _is_reachable(directory: Path) -> bool:
    """Tell whether everybody may pass through the directory and those above it, as far as they exist."""
    existing = [path for path in (directory, *directory.parents) if path.exists()]
    return all(path.stat().st_mode & stat.S_IXOTH for path in existing)
