"""Make `.venv` with the packages of requirements-dev.txt: `python3 -m mindfulqalb.development.environment`.

Runs on the machine's bare Python, so it imports nothing but the standard library. A second run has nothing to do and
needs no network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements-dev.txt"
ENVIRONMENT = ROOT / ".venv"
OLDEST_PYTHON = (3, 11)
LINES_OF_A_FAILURE = 15


def main() -> int:
    """Make or renew the environment if need be; return the exit status."""
    if sys.version_info < OLDEST_PYTHON:
        return _fail(f"Python >= 3.11 is needed, and {sys.executable} is {sys.version.split()[0]}: make PYTHON=<path>")
    if _is_current():
        return 0
    if not _make_environment():
        return _fail(
            f"{sys.executable} cannot make virtual environments. Install its venv module "
            "(Debian, Ubuntu: apt install python3-venv) or virtualenv, and try again."
        )
    if not _install_packages():
        return _fail("The packages could not be installed: see above. `make` again goes on where this ended.")
    _stamp_file().write_text(_stamp(), encoding="ascii")
    return 0


def _is_current() -> bool:
    try:
        return _stamp_file().read_text(encoding="ascii") == _stamp() and _works(_python())
    except FileNotFoundError:
        return False


def _stamp_file() -> Path:
    return ENVIRONMENT / "installed.txt"


def _stamp() -> str:
    """Name what an environment was made of: other requirements or another Python need a new one."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    return f"python {sys.version_info[0]}.{sys.version_info[1]} requirements-dev.txt {digest}\n"


def _python() -> Path:
    return ENVIRONMENT / "bin" / "python"


def _works(python: Path, *arguments: str) -> bool:
    """Tell whether the environment's Python runs, and is of our version."""
    check = f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    try:
        return _run([str(python), *(arguments or ("-c", check))])
    except OSError:
        return False


def _make_environment() -> bool:
    if _works(_python()) and _works(_python(), "-m", "pip", "--version"):
        return True
    _say(f"Making {ENVIRONMENT.name} with {sys.executable} ...")
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    if not importlib.util.find_spec("ensurepip"):
        return _make_environment_without_ensurepip()
    venv.create(ENVIRONMENT, with_pip=True)
    return True


def _make_environment_without_ensurepip() -> bool:
    """Debian and Ubuntu leave `ensurepip` out of python3."""
    if importlib.util.find_spec("virtualenv"):
        return _run([sys.executable, "-m", "virtualenv", "--quiet", str(ENVIRONMENT)])
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    _say("python3 has no ensurepip: installing python3-venv ...")
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not (_run([*quiet, "update"]) and _run([*quiet, "install", "--yes", package])):
        return False
    return subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=False).returncode == 0  # noqa: S603


def _run(command: list[str]) -> bool:
    ended = subprocess.run(  # noqa: S603
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return ended.returncode == 0


def _install_packages() -> bool:
    """Install what the file pins, and say how far it is; the file names every package, so nothing is resolved."""
    total = sum(line[:1].isalnum() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    _say(f"Installing {total} packages (a minute or so, the first time) ...")
    options = ["--require-hashes", "--no-deps", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    with subprocess.Popen(  # noqa: S603
        [str(_python()), "-m", "pip", "install", *options, "--requirement", str(REQUIREMENTS)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pip:
        last_lines = _show_progress(pip.stdout or (), total)
    if pip.returncode != 0:
        _say("\n".join(last_lines))
    return pip.returncode == 0


def _show_progress(lines: Iterable[str], total: int) -> list[str]:
    """Count pip's packages; return the last lines of its output."""
    seen: list[str] = []
    count = 0
    for line in lines:
        seen = [*seen, line.rstrip()][-LINES_OF_A_FAILURE:]
        if line.startswith("Collecting "):
            count += 1
            if count % 20 == 0:
                _say(f"  {count} of {total} fetched")
        elif line.startswith("Installing collected"):
            _say("  unpacking")
    return seen


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _fail(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
