"""Copies of the whole database, and back: whole, or not at all. What is sealed in it stays sealed."""

from __future__ import annotations

import re
import subprocess
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from mindfulqalb.operations.programs import direct_connection, find_programs, program_environment

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper

PLAIN = ("--no-owner", "--no-privileges", "--no-comments", "--verbose")
PSQL = ("psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--file=-")
# The schema as `initdb` makes it.
EMPTY_SCHEMA = (
    b"SET client_min_messages = warning; BEGIN; DROP SCHEMA public CASCADE;"
    b" CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC;\n"
)
PROGRESS = re.compile(r'(?:dumping contents of|processing data for) table "public\.(\w+)"')


class BackupFailed(Exception):
    """The copy was not made; no file is left that looks like one."""


class RestoreFailed(Exception):
    """Nothing was restored; the database is as it was."""


class DatabaseNotEmpty(Exception):
    """There is something to lose."""


def back_up(*, file: Path) -> Iterator[str]:
    """Write a consistent copy beside a live server; yield each table as it comes. The file is whole or absent."""
    unfinished = file.with_name(f".{file.name}.unfinished")
    unfinished.touch(mode=0o600)  # whoever has the key, too, reads in it who is a client here
    try:
        with (
            direct_connection() as server,
            _start(server, "pg_dump", "--format=custom", *PLAIN, f"--file={unfinished}") as process,
        ):
            complaint = yield from _tables_told_by(process)
        if process.returncode:
            raise BackupFailed(complaint)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def restore(*, file: Path, replace: bool = False) -> Iterator[str]:
    """Put a copy in place of what is there, in one transaction; yield each table as it comes.

    Raises `DatabaseNotEmpty` when there is a table already, unless told to `replace` all there is.
    """
    with direct_connection() as server:
        if not replace and server.introspection.table_names():
            raise DatabaseNotEmpty
        yield from _replace_everything(file, server)


def _replace_everything(file: Path, server: BaseDatabaseWrapper) -> Iterator[str]:
    with _start(server, *PSQL, stdin=subprocess.PIPE) as writer:
        with suppress(BrokenPipeError):
            _input_of(writer).write(EMPTY_SCHEMA)
            _input_of(writer).flush()
        with _start(server, "pg_restore", *PLAIN, "--file=-", str(file), stdout=writer.stdin) as reader:
            complaint = yield from _tables_told_by(reader)
        # When the file could not be read to its end, this one ends without a word, and the server takes all back.
        _, refusal = writer.communicate(b"" if reader.returncode else b"COMMIT;\n")
    if reader.returncode or writer.returncode:
        # Its later lines quote rows.
        said = [complaint if reader.returncode else "", refusal.decode(errors="replace").partition("\n")[0]]
        raise RestoreFailed("; ".join(filter(None, said)))


def _start(
    server: BaseDatabaseWrapper,
    program: str,
    *arguments: str,
    stdin: int = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    folder = find_programs(server.get_database_version()[0])
    return subprocess.Popen(  # noqa: S603
        [folder / program, *arguments],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=program_environment(folder, server.settings_dict),
    )


def _input_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    if process.stdin is None:
        raise TypeError("started without a pipe")
    return process.stdin


def _tables_told_by(process: subprocess.Popen[bytes]) -> Generator[str, None, str]:
    """Yield the tables that a program says it is at; return the last of what else it says."""
    other = ""
    for line in process.stderr or ():
        text = line.decode(errors="replace").strip()
        if found := PROGRESS.search(text):
            yield found[1]
        else:
            other = text
    return other
