"""Finding a Chromium for the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FIND = "from mindfulqalb.development.browser import find_browser; print(find_browser())"


def make_program(path: Path, *, status: int = 0) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {status}\n")
    path.chmod(0o755)
    return path


def find(path: Path, **environment: str) -> str:
    """Look for a browser on a machine whose PATH is one folder, and where Playwright has none."""
    surroundings = {"HOME": str(path), "PATH": str(path), "PLAYWRIGHT_BROWSERS_PATH": str(path / "none")}
    command = [sys.executable, "-c", FIND]
    run = subprocess.run(
        command, check=True, cwd=ROOT, env={**surroundings, **environment}, stdout=subprocess.PIPE, text=True
    )
    return run.stdout.strip()


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_browser_of_the_machine_is_found(tmp_path: Path, name: str) -> None:
    assert find(tmp_path, PATH=str(make_program(tmp_path / "bin" / name).parent)) == str(tmp_path / "bin" / name)


def test_browser_that_somebody_chose_comes_first(tmp_path: Path) -> None:
    chosen = make_program(tmp_path / "mine" / "browser")
    make_program(tmp_path / "chromium")
    assert find(tmp_path, CHROMIUM_PATH=str(chosen)) == str(chosen)


def test_browser_that_does_not_run_is_passed_over(tmp_path: Path) -> None:
    make_program(tmp_path / "chromium", status=1)
    assert find(tmp_path, CHROMIUM_PATH=str(tmp_path / "missing")) == "None"


def test_missing_browser_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    surroundings = {"HOME": str(tmp_path), "PATH": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    # A closed port stands for a machine without network.
    offline = {"HTTPS_PROXY": "http://127.0.0.1:9", "PLAYWRIGHT_DOWNLOAD_HOST": "http://127.0.0.1:9"}
    run = subprocess.run(
        [sys.executable, "-m", "mindfulqalb.development.browser"],
        check=False,
        cwd=ROOT,
        env={**surroundings, **offline},
        capture_output=True,
        text=True,
    )
    sentence = "The tests need a Chromium, and none could be installed. Install one, or set CHROMIUM_PATH to it."
    assert (run.returncode, run.stdout, run.stderr.splitlines()[-1]) == (1, "", sentence)


def test_driver_that_does_not_run_is_an_error_that_says_why(tmp_path: Path) -> None:
    node = make_program(tmp_path / "node", status=127)
    node.write_text("#!/bin/sh\necho 'node: libatomic.so.1 is missing' >&2\nexit 127\n")
    make_program(tmp_path / "chromium")
    run = subprocess.run(
        [sys.executable, "-m", "mindfulqalb.development.browser"],
        check=False,
        cwd=ROOT,
        env={"HOME": str(tmp_path), "PATH": str(tmp_path), "PLAYWRIGHT_NODEJS_PATH": str(node)},
        capture_output=True,
        text=True,
    )
    sentence = "The tests need Playwright, whose driver does not run here: node: libatomic.so.1 is missing"
    assert (run.returncode, run.stdout, run.stderr.splitlines()[-1]) == (1, "", sentence)
