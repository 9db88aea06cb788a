"""Backups that cannot be made say why; whole drills are in bookings/tests/journeys/test_disaster.py."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mindfulqalb.operations.programs import program_environment

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

# BackendKeyData: the process number, before the key that cancels.
GREETING = re.compile(rb"(K\x00\x00\x00\x0c).{4}", re.DOTALL)

pytestmark = pytest.mark.django_db


def _program(folder: Path, script: str) -> None:
    program = folder / "pg_dump"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_backup_says_that_its_program_is_too_old(tmp_path: Path, settings: Settings) -> None:
    _program(tmp_path, 'echo "pg_dump (PostgreSQL) 9.6.24"')
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


def test_backup_that_fails_leaves_no_file(tmp_path: Path, settings: Settings) -> None:
    programs, copies = tmp_path / "bin", tmp_path / "copies"
    programs.mkdir()
    copies.mkdir()
    _program(programs, 'echo "pg_dump (PostgreSQL) 99.1"; [ "$1" = --version ] || { echo "disk full" >&2; exit 1; }')
    settings.POSTGRES_PROGRAMS = str(programs)

    with pytest.raises(CommandError, match=r"^No backup: disk full$"):
        call_command("backup", copies / "a.dump")

    assert list(copies.iterdir()) == []


def test_programs_are_told_the_whole_address(tmp_path: Path) -> None:
    database = {
        "HOST": "db",
        "PORT": 5433,
        "USER": "u",
        "PASSWORD": "p",
        "NAME": "n",
        "OPTIONS": {"sslmode": "require"},
    }

    told = program_environment(tmp_path, database)

    assert {name: value for name, value in told.items() if name.startswith("PG")} == {
        "PGHOST": "db",
        "PGPORT": "5433",
        "PGUSER": "u",
        "PGPASSWORD": "p",
        "PGDATABASE": "n",
        "PGSSLMODE": "require",
    }


class Pooler(threading.Thread):
    """Hands every byte on, but greets with a process number of its own, as PgBouncer does."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(daemon=True)
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve one client."""
        with self._listener:
            client, _ = self._listener.accept()
        with client, socket.create_connection(self._server) as server:
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
            while data := server.recv(65536):
                client.sendall(GREETING.sub(lambda greeting: greeting[1] + bytes([0, 0, 0, 7]), data))

    @staticmethod
    def _pump(source: socket.socket, drain: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                drain.sendall(data)


def test_backup_refuses_to_work_through_a_pooler(tmp_path: Path, settings: Settings) -> None:
    server = connection.settings_dict
    pooler = Pooler(server["HOST"], int(server["PORT"]))
    pooler.start()
    settings.DATABASE_DIRECT = {"PORT": pooler.port, "OPTIONS": {"sslmode": "disable"}}

    with pytest.raises(CommandError) as refusal:
        call_command("backup", tmp_path / "a.dump")

    told = "No backup: DATABASE_URL leads to a pooler: name the server itself in DATABASE_DIRECT_URL"
    assert (str(refusal.value), list(tmp_path.iterdir())) == (told, [])
