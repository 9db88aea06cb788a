"""Run one command that must not outlive the process that started it.

A program of its own, run by path and without site-packages: `tether.py LIFELINE STOP_SIGNAL GRACE UID GID COMMAND...`.
LIFELINE is the reading end of a pipe whose writing end only the starter holds: when that closes, on purpose or because
the starter was killed, the command gets STOP_SIGNAL, and SIGKILL with all of its process group GRACE seconds later.
This needs no help from the kernel and so works on Linux and macOS alike. UID and GID are -1 to stay as we are.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress


def _start(command: list[str], uid: int, gid: int) -> subprocess.Popen[bytes]:
    if uid < 0:
        return subprocess.Popen(command, start_new_session=True, umask=0o077)  # noqa: S603
    return subprocess.Popen(  # noqa: S603
        command, start_new_session=True, umask=0o077, user=uid, group=gid, extra_groups=[]
    )


def _wait_for_end(process: subprocess.Popen[bytes], lifeline: int, wake: int) -> None:
    """Return when the command ended, the lifeline closed, or we were told to end."""
    while process.poll() is None:
        ready, _, _ = select.select([lifeline, wake], [], [])
        if lifeline in ready or signal.SIGTERM in os.read(wake, 64):
            return


def _end(process: subprocess.Popen[bytes], stop_signal: int, grace: float) -> None:
    process.send_signal(stop_signal)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=grace)
    with suppress(ProcessLookupError):  # whatever is left of its group
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main(arguments: list[str]) -> int:
    """Run the command to its end; return its exit status, or 128 + the signal that ended it."""
    lifeline, stop_signal, grace = int(arguments[0]), int(arguments[1]), float(arguments[2])
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    try:
        process = _start(arguments[5:], int(arguments[3]), int(arguments[4]))
    except OSError as error:
        sys.stderr.write(f"{arguments[5]} cannot be started: {error.strerror}\n")
        return 127
    _wait_for_end(process, lifeline, reader)
    _end(process, stop_signal, grace)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
