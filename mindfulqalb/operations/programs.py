"""Where PostgreSQL's own programs are, and what leads them to our database."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

# Where Debian and Red Hat put versions that are not on the PATH.
PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin")


class ProgramsMissing(Exception):
    """No `pg_dump` that is as new as the server was found: an older one refuses to work."""


def find_programs() -> Path:
    """Return the folder of `pg_dump`, `pg_restore` and `psql`: the newest, and at least as new as the server."""
    server = connection.get_database_version()[0]
    version, folder = max(((_major_version(folder), folder) for folder in _folders()), default=(0, Path()))
    if version < server:
        found = f"the newest here is {version}" if version else "there is none"
        raise ProgramsMissing(
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
