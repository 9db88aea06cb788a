"""Programs that end when we end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mindfulqalb.development.account import Account

TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command with its circumstances: `grace` seconds pass between `stop_signal` and SIGKILL.

    Its output goes to `log` (begun anew at each start), or, when that is None, to whoever starts it.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] | None = None
    directory: Path | None = None
    account: Account | None = None
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0


def run_to_end(
    command: Sequence[str], *, environment: Mapping[str, str], directory: Path, account: Account | None
) -> subprocess.CompletedProcess[str]:
    """Run a short command and return its status and all of its output, in `stdout`."""
    return subprocess.run(  # noqa: S603
        command,
        check=False,
        env=environment,
        cwd=directory,
        umask=0o077,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


class Process:
    """A running program. It ends with `stop()`, or when this process ends, in whatever way that is."""

    def __init__(self, program: Program) -> None:
        self.program = program
        reader, self._lifeline = os.pipe()
        try:
            self._popen = self._start(reader)
        finally:
            os.close(reader)

    def _start(self, reader: int) -> subprocess.Popen[bytes]:
        program = self.program
        uid, gid = (program.account.uid, program.account.gid) if program.account else (-1, -1)
        settings = [str(value) for value in (reader, int(program.stop_signal), program.grace, uid, gid)]
        output = program.log.open("wb") if program.log else None
        try:
            return subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", str(TETHER), *settings, *program.command],
                pass_fds=[reader],
                stdin=subprocess.DEVNULL,
                stdout=output or subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=program.environment,
                cwd=program.directory,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()

    @property
    def output(self) -> IO[bytes]:
        """What the program prints; only without `log`."""
        if self._popen.stdout is None:
            raise RuntimeError(f"the output of {self.program.name} goes to {self.program.log}")
        return self._popen.stdout

    @property
    def status(self) -> int | None:
        """The exit status, or None while the program runs."""
        return self._popen.poll()

    def wait(self) -> int:
        """Wait for the program to end by itself; return its exit status."""
        return self._popen.wait()

    def ask_to_stop(self) -> None:
        """Let the program end, without waiting for it."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def stop(self) -> int:
        """End the program and all of its process group; return its exit status."""
        self.ask_to_stop()
        status = self._popen.wait()
        if self._popen.stdout:
            with suppress(OSError):
                self._popen.stdout.close()
        return status
