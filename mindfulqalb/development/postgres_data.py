"""The folder that PostgreSQL keeps its data in."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.programs import run_to_end

if TYPE_CHECKING:
    from mindfulqalb.development.account import Account
    from mindfulqalb.development.postgres_versions import Installation

BUILTIN_LOCALE_VERSION = 17


def data_version(cluster: Path) -> int | None:
    """Return the major version that made the data, or None when there are none yet."""
    try:
        return int((cluster / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def make_data(
    cluster: Path, installation: Installation, account: Account | None, password: str, *, durable: bool
) -> None:
    """Make a UTF-8 cluster whose superuser is `postgres`.

    It is made elsewhere and moved into place when complete: a run may be interrupted here.
    """
    unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=cluster.parent))
    password_file = unfinished.with_suffix(".password")
    try:
        password_file.write_text(password, encoding="ascii")
        if account:
            for path in (unfinished, password_file):
                os.chown(path, account.uid, account.gid)
        _run_initdb(unfinished, installation, account, ["--pwfile", str(password_file), *([] if durable else ["-N"])])
        unfinished.rename(cluster)
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)


def _run_initdb(cluster: Path, installation: Installation, account: Account | None, options: list[str]) -> None:
    command = [str(installation.binaries / "initdb"), "-D", str(cluster), "--username", "postgres"]
    command += ["--auth", "scram-sha-256", "--encoding", "UTF8", *_locale_options(installation), *options]
    ended = run_to_end(command, environment=installation.environment, directory=cluster.parent, account=account)
    if ended.returncode != 0:
        raise DevelopmentError(f"PostgreSQL could not make its data in {cluster.parent}:\n{ended.stdout.strip()}")


def _locale_options(installation: Installation) -> list[str]:
    """Sort by code point and know every letter's case, the same on each machine."""
    if installation.major >= BUILTIN_LOCALE_VERSION:
        return ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
    return ["--locale", "C.UTF-8" if sys.platform == "linux" else "C"]  # macOS has no C.UTF-8
