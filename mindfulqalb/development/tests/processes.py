"""Looking at processes from outside."""

from __future__ import annotations

import time
from pathlib import Path

SECONDS = 20


def is_gone(pid: int) -> bool:
    """Tell whether the process has ended; one that its parent has yet to notice counts as ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def wait_until_gone(*pids: int) -> None:
    """Return when all of them have ended; `AssertionError` names those that have not."""
    deadline = time.monotonic() + SECONDS
    while left := [pid for pid in pids if not is_gone(pid)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.02)
