"""Backups that cannot be made say why; whole drills are in bookings/tests/journeys/test_disaster.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mindfulqalb.operations.programs import find_programs, program_environment

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def _old_pg_dump(folder: Path) -> None:
    program = folder / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    program.chmod(0o755)


def test_backup_says_that_its_program_is_too_old(tmp_path: Path, settings: Settings) -> None:
    _old_pg_dump(tmp_path)
    settings.POSTGRES_PROGRAMS = str(tmp_path)
    server = connection.get_database_version()[0]

    with pytest.raises(CommandError) as refusal:
        call_command("backup", tmp_path / "a.dump")

    assert str(refusal.value) == (
        f"No backup: The server is PostgreSQL {server}, and of its pg_dump the newest here is 9: install"
        f" postgresql-client-{server}, or name its folder in POSTGRES_PROGRAMS"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["pg_dump"]


def test_backup_overwrites_no_file(tmp_path: Path) -> None:
    file = tmp_path / "a.dump"
    file.write_text("the only one")

    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", file)

    assert file.read_text() == "the only one"


def test_backup_into_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^No backup: .*No such file or directory"):
        call_command("backup", tmp_path / "absent/a.dump")


def test_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    good = connection.settings_dict["PASSWORD"]
    try:
        connection.ensure_connection()
        connection.settings_dict["PASSWORD"] = "wrong"
        with pytest.raises(CommandError, match=r"^No backup: .*authentication failed"):
            call_command("backup", tmp_path / "a.dump")
    finally:
        connection.settings_dict["PASSWORD"] = good

    assert list(tmp_path.iterdir()) == []


def test_programs_are_told_the_whole_address() -> None:
    folder = find_programs()
    database = {
        "HOST": "db",
        "PORT": 5433,
        "USER": "u",
        "PASSWORD": "p",
        "NAME": "n",
        "OPTIONS": {"sslmode": "require"},
    }

    told = program_environment(folder, database)

    assert {name: value for name, value in told.items() if name.startswith("PG")} == {
        "PGHOST": "db",
        "PGPORT": "5433",
        "PGUSER": "u",
        "PGPASSWORD": "p",
        "PGDATABASE": "n",
        "PGSSLMODE": "require",
    }
