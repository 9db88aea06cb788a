"""The environment that `make` makes, in a checkout without requirements."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OLD = """
import sys
sys.version_info, sys.version, sys.executable = (3, 10, 4, "final", 0), "3.10.4 (main)", "/usr/bin/python3"
from mindfulqalb.development.environment import main
sys.exit(main())
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    package = tmp_path / "mindfulqalb" / "development"
    package.mkdir(parents=True)
    for name in ("mindfulqalb/__init__.py", "mindfulqalb/development/__init__.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "mindfulqalb/development/environment.py", package)
    (tmp_path / "requirements-dev.txt").write_text("")
    return tmp_path


def run_in(checkout: Path, *arguments: str) -> tuple[int, str, str]:
    ended = subprocess.run([sys.executable, *arguments], check=False, cwd=checkout, capture_output=True, text=True)
    return ended.returncode, ended.stdout, ended.stderr


def make_environment(checkout: Path) -> tuple[int, str, str]:
    return run_in(checkout, "-m", "mindfulqalb.development.environment")


def test_environment_is_made_once_and_again_for_other_requirements(checkout: Path) -> None:
    assert make_environment(checkout)[0] == 0
    assert subprocess.check_output([checkout / ".venv/bin/python", "-c", "print('works')"], text=True) == "works\n"
    assert make_environment(checkout) == (0, "", "")

    (checkout / "requirements-dev.txt").write_text(f"./missing.whl --hash=sha256:{'0' * 64}\n")
    for _ in range(2):  # a failure is not taken for done
        status, _, complaint = make_environment(checkout)
        sentence = "The packages could not be installed: see above. `make` again goes on where this ended."
        assert (status, complaint.splitlines()[-1]) == (1, sentence)


def test_old_python_is_refused_by_name(checkout: Path) -> None:
    sentence = "Python >= 3.11 is needed, and /usr/bin/python3 is 3.10.4: make PYTHON=<path>\n"
    assert run_in(checkout, "-c", OLD) == (1, "", sentence)
    assert not (checkout / ".venv").exists()


def test_make_lists_its_commands() -> None:
    # `make test` runs this test: a make below another one also prints where it is.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    listed = subprocess.check_output(["make"], cwd=ROOT, env=environment, text=True).splitlines()
    assert listed[0].split()[:2] == ["make", "help"]
    assert [line.split()[:2] for line in listed] == [
        ["make", name] for name in re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    ]
