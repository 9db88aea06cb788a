"""What `manage.py dev` sees to first: that its ports are free, that every step works."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests

from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.ports import is_taken
from mindfulqalb.development.programs import Process

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mindfulqalb.development.programs import Program
    from mindfulqalb.development.supervisor import Console

PATIENCE_SECONDS = 3.0  # what a killed run had started needs a moment to end


@dataclass(frozen=True)
class WantedPort:
    """A port, who wants it, and the variable that changes it."""

    number: int
    wanted_by: str
    variable: str


def require_free_ports(ports: Sequence[WantedPort], *, patience: float = PATIENCE_SECONDS) -> None:
    """Raise `DevelopmentError` for the first port that two of them want, or that stays taken for `patience` seconds."""
    deadline = time.monotonic() + patience
    wanted: dict[int, WantedPort] = {}
    for port in ports:
        other = wanted.setdefault(port.number, port)
        if other is not port:
            raise DevelopmentError(
                f"Port {port.number} is wanted twice, by {other.wanted_by} and {port.wanted_by}: "
                f"set {other.variable} or {port.variable} to another one."
            )
        while is_taken(port.number) and time.monotonic() < deadline:
            time.sleep(0.1)
        if is_taken(port.number):
            raise DevelopmentError(
                f"Port {port.number} is taken, and {port.wanted_by} wants it: "
                f"end what uses it, or set {port.variable} to another one."
            )


def write_environment(file: Path, variables: Mapping[str, str]) -> None:
    """Write variables where the settings of other terminals find them; readable by ourselves alone."""
    lines = [
        "# Written by `manage.py dev`, removed when it ends.",
        *(f"{name}={value}" for name, value in variables.items()),
    ]
    file.unlink(missing_ok=True)
    with open(file, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as stream:
        stream.write("\n".join(lines) + "\n")


def read_environment(file: Path) -> dict[str, str]:
    """Read what a run wrote there; nothing when there is no file."""
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines() if not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def run_step(title: str, program: Program, console: Console) -> str:
    """Run a program to its end and return what it printed. Raises `DevelopmentError` with all of that if it fails."""
    with step(title, console):
        process = Process(program)
        output = process.output.read().decode(errors="replace").strip()
        status = process.wait()
        process.stop()  # only its files: it has ended
        if status:
            raise DevelopmentError(f"{title} failed with status {status}:\n{output}")
        return output


@contextmanager
def step(title: str, console: Console) -> Iterator[None]:
    """Show one line for what happens within: its title at once, a check mark and seconds when it has worked."""
    began = time.monotonic()
    console.write(f"  {title} ... ")
    try:
        yield
    except BaseException as error:
        console.write("interrupted\n" if isinstance(error, KeyboardInterrupt) else "failed\n")
        raise
    console.write(f"\u2713 {time.monotonic() - began:.1f} s\n")


def wait_for_answers(addresses: Iterable[str]) -> None:
    """Return when something answers HTTP at every address, whatever it says."""
    for address in addresses:
        while not _answers(address):
            time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        requests.get(address, timeout=5, allow_redirects=False)
    except requests.RequestException:
        return False
    return True
