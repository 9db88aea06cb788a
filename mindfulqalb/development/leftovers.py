"""Servers of the same data that an earlier run could not end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from mindfulqalb.development.errors import DevelopmentError

END_SECONDS = 20


def end_leftover(pid_file: Path, *, must_mention: str, stop_signal: signal.Signals) -> None:
    """End the process that a pid file names, if its command line mentions our folder; else only forget the file.

    A number alone proves nothing: after a restart of the machine it may belong to anybody. Raises `DevelopmentError`
    when the process does not end.
    """
    try:
        pid = int(pid_file.read_text(encoding="ascii").split(maxsplit=1)[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    if must_mention in command_line(pid):
        _end(pid, must_mention, stop_signal)
    pid_file.unlink(missing_ok=True)


def end_sessions(cluster: Path) -> None:
    """End what works in a folder whose server is dead: PostgreSQL does not start beside a session of a former server.

    Only where `/proc` shows who works there; elsewhere such a session must end by itself.
    """
    for found in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # somebody else's, or gone already
            if (found / "cwd").readlink() == cluster:
                os.kill(int(found.name), signal.SIGKILL)


def command_line(pid: int) -> str:
    """Return a process's command line; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except FileNotFoundError:
        if Path("/proc/self/cmdline").exists():
            return ""
    answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)  # noqa: S603, S607
    return answer.stdout.strip()


def _end(pid: int, folder: str, stop_signal: signal.Signals) -> None:
    deadline = time.monotonic() + END_SECONDS
    os.kill(pid, stop_signal)
    while folder in command_line(pid):
        if time.monotonic() > deadline:
            raise DevelopmentError(f"Process {pid} still uses {folder} and does not end. End it and try again.")
        time.sleep(0.05)
