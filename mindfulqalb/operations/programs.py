"""PostgreSQL's own programs, and what leads them to our database, past any pooler."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

# Where Debian and Red Hat put versions that are not on the PATH.
PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")


class ProgramsUnfit(Exception):
    """They are missing or too old, or a pooler stands between."""


@contextmanager
def direct_connection() -> Iterator[BaseDatabaseWrapper]:
    """Open a connection to the server itself. Raises `ProgramsUnfit` when it turns out to be a pooler's.

    `pg_dump` empties its session's search path; a pooler would hand that session on to web, which finds no table then.
    """
    direct = connection.copy()
    direct.settings_dict |= settings.DATABASE_DIRECT
    try:
        with direct.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            at_work = cursor.fetchone()
        # A server greets with the number of the process that will do the work; a pooler makes one up.
        if at_work != (direct.connection.info.backend_pid,):
            raise ProgramsUnfit("DATABASE_URL leads to a pooler: name the server itself in DATABASE_DIRECT_URL")
        yield direct
    finally:
        direct.close()


def find_programs(server: int) -> Path:
    """Return the folder of `pg_dump`, `pg_restore` and `psql`: the newest, and at least of the server's version."""
    version, folder = max(((_major_version(folder), folder) for folder in _folders()), default=(0, Path()))
    if version < server:
        found = f"the newest here is {version}" if version else "there is none"
        raise ProgramsUnfit(
            f"The server is PostgreSQL {server}, and of its pg_dump {found}: install postgresql-client-{server}, "
            "or name its folder in POSTGRES_PROGRAMS"
        )
    return folder


def program_environment(folder: Path, database: dict[str, Any]) -> dict[str, str]:
    """Return what the programs are told; passwords are nobody's to see among the arguments."""
    _, secrets = connection.client.settings_to_cmd_args_env(database, [])
    address = {
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"]),
        "PGUSER": database["USER"],
        "PGDATABASE": database["NAME"],
    }
    return {
        "PATH": os.defpath,
        "LC_ALL": "C",
        "LD_LIBRARY_PATH": str(folder.parent / "lib"),
        **{name: value for name, value in address.items() if value},
        **(secrets or {}),
    }


def _folders() -> Iterator[Path]:
    if settings.POSTGRES_PROGRAMS:
        yield Path(settings.POSTGRES_PROGRAMS)
        return
    if found := shutil.which("pg_dump"):
        yield Path(found).parent
    for place in PLACES:
        yield from Path("/").glob(place)


def _major_version(folder: Path) -> int:
    environment = {"LD_LIBRARY_PATH": str(folder.parent / "lib")}
    try:
        told = subprocess.run(  # noqa: S603
            [folder / "pg_dump", "--version"], check=False, capture_output=True, text=True, env=environment
        )
    except OSError:
        return 0
    version = re.search(r"\(PostgreSQL\) (\d+)", told.stdout)
    return int(version[1]) if version else 0
