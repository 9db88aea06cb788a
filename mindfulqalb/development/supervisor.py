"""Several programs run as one: their output side by side, the dead started again, all of them ended in order.

Written by hand: honcho (MIT) ends everything as soon as one program ends, and leaves orphans when it is killed itself.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, TextIO

from mindfulqalb.development.programs import Process

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from mindfulqalb.development.programs import Program

LOOK_EVERY_SECONDS = 0.1
DEATHS_TO_GIVE_UP = 5
DEATHS_WITHIN_SECONDS = 60.0
LAST_LINES_SECONDS = 1.0
COLORS = ("36", "33", "35", "32")
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Console:
    """One stream for the lines of many programs, each line whole and with its program's name before it."""

    def __init__(self, stream: TextIO, names: Sequence[str], *, color: bool) -> None:
        """Give all names that will appear: they share one width, and with `color` get a color each."""
        self._stream = stream
        self._lock = threading.Lock()
        width = max(map(len, names))
        self._prefixes = {name: f"{name:<{width}} |" for name in names}
        if color:
            colored = zip(self._prefixes.items(), COLORS * len(names), strict=False)
            self._prefixes = {name: f"\033[{code}m{prefix}\033[0m" for (name, prefix), code in colored}

    def write_line(self, name: str, line: str) -> None:
        """Write what a program printed, or what there is to say about it."""
        self.write(f"{self._prefixes[name]} {line}\n")

    def write(self, text: str) -> None:
        """Write text that comes from no program. A terminal that is gone is no error: the programs must still end."""
        with self._lock, contextlib.suppress(ValueError):
            try:
                self._stream.write(text)
                self._stream.flush()
            except OSError:
                self._write_to_nobody()

    def _write_to_nobody(self) -> None:
        """Let what is still in the stream's buffer go: Python writes it at its end, and would fail there."""
        nobody = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nobody, self._stream.fileno())
        os.close(nobody)


class Child:
    """A program that is meant to run, and the process in which it does so at present."""

    def __init__(self, program: Program, console: Console) -> None:
        """Start it."""
        self.program = program
        self._console = console
        self._deaths: deque[float] = deque(maxlen=DEATHS_TO_GIVE_UP)
        self._start()

    def _start(self) -> None:
        self.process = Process(self.program)
        self._reader = threading.Thread(target=self._copy_output, args=(self.process,), daemon=True)
        self._reader.start()

    def _copy_output(self, process: Process) -> None:
        with process.output as output:
            for line in output:
                if text := line.decode(errors="replace").rstrip():
                    self._console.write_line(self.program.name, text)

    def tend(self) -> bool:
        """Start it again if it has died; False if it dies too often for that."""
        status = self.process.status
        if status is None:
            return True
        self.end()
        self._deaths.append(time.monotonic())
        if len(self._deaths) == DEATHS_TO_GIVE_UP and self._deaths[-1] - self._deaths[0] < DEATHS_WITHIN_SECONDS:
            self._say(f"ended with status {status}, {DEATHS_TO_GIVE_UP} times within a minute: ending everything.")
            return False
        self._say(f"ended with status {status}: starting it again.")
        self._start()
        return True

    def end(self) -> None:
        """Let it end, for as many seconds as it is granted, and wait until it has."""
        self.process.ask_to_stop()
        self.process.wait()
        self._reader.join(LAST_LINES_SECONDS)

    def _say(self, sentence: str) -> None:
        self._console.write_line(self.program.name, sentence)


class Supervisor:
    """Runs programs until told to end, and ends them in the order in which they were given."""

    def __init__(self, programs: Sequence[Program], console: Console, *, needed: Sequence[Process] = ()) -> None:
        """Start nothing yet. `needed` are processes without which there is no point in going on."""
        self._programs = programs
        self._console = console
        self._needed = needed
        self._told_to_end = False

    def run(self) -> int:
        """Run until SIGINT, SIGTERM or SIGHUP: 0; or until one dies five times within a minute, or one needed dies: 1.

        The longest that ending takes is the sum of the programs' graces. Call it from the main thread.
        """
        former = {number: signal.signal(number, self._note_signal) for number in ENDING_SIGNALS}
        children: list[Child] = []
        try:
            for program in self._programs:
                children.append(Child(program, self._console))  # noqa: PERF401  (those already running must be ended)
            return self._watch(children)
        finally:
            for child in children:
                child.end()
            for number, handler in former.items():
                signal.signal(number, handler)

    def _watch(self, children: Sequence[Child]) -> int:
        while not self._told_to_end:
            if not (all(map(self._is_there, self._needed)) and all(child.tend() for child in children)):
                return 1
            time.sleep(LOOK_EVERY_SECONDS)
        return 0

    def _is_there(self, process: Process) -> bool:
        if process.status is None:
            return True
        name, log = process.program.name, process.program.log
        self._console.write(f"{name} ended with status {process.status}: ending everything. Its log: {log}\n")
        return False

    def _note_signal(self, number: int, frame: FrameType | None) -> None:
        self._told_to_end = True
