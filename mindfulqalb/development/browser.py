"""A Chromium for the tests: `python -m mindfulqalb.development.browser` prints its path, and gets one if need be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DEBIAN_PACKAGES = ("chromium", "fonts-liberation", "fonts-noto-core", "libatomic1")  # the last for Playwright's Node
MACOS_PATHS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find_browser() -> str | None:
    """Return the path of a browser: CHROMIUM_PATH, else the machine's, else Playwright's own."""
    places = [os.environ.get("CHROMIUM_PATH"), *map(shutil.which, NAMES), *MACOS_PATHS]
    for place in places:
        if place and _runs(place):
            return place
    if _why_driver_fails():
        return None
    with sync_playwright() as playwright:
        place = playwright.chromium.executable_path
    return place if _runs(place) else None


def get_browser() -> str | None:
    """Return the path of a browser that the tests can drive, and install what is missing; None when that fails."""
    for command in (None, *_installers()):
        if command:
            _say(f"No browser that the tests can drive yet: {' '.join(command)}")
            # What installers print goes to standard error: standard output is for the path.
            subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr)  # noqa: S603
        found = find_browser()
        if found and not _why_driver_fails():
            return found
    return None


def _installers() -> list[list[str]]:
    playwright = [sys.executable, "-m", "playwright", "install", "chromium"]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return [playwright]
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"]
    return [
        [*apt, "update"],
        [*apt, "install", "--yes", "--no-install-recommends", *DEBIAN_PACKAGES],
        [*playwright, "--with-deps"],
    ]


def _why_driver_fails() -> str:
    """Return what Playwright's own Node says when it cannot start; empty when it can."""
    command = [sys.executable, "-m", "playwright", "--version"]
    answer = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)  # noqa: S603
    return answer.stderr.strip() if answer.returncode else ""


def _runs(place: str) -> bool:
    """Ask it for its version: a stub that only points to another package's store fails here."""
    if not Path(place).is_file():
        return False
    answer = subprocess.run(  # noqa: S603
        [place, "--version"], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return answer.returncode == 0


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def main() -> int:
    """Print the path; return the exit status."""
    found = get_browser()
    if found is None and (problem := _why_driver_fails()):
        _say(f"The tests need Playwright, whose driver does not run here: {problem}")
        return 1
    if found is None:
        _say("The tests need a Chromium, and none could be installed. Install one, or set CHROMIUM_PATH to it.")
        return 1
    sys.stdout.write(f"{found}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
