"""The supervisor over programs of a few lines, itself a process of its own, so that it can be ended in every way."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from mindfulqalb.development.supervisor import Console
from mindfulqalb.development.tests.processes import is_gone, wait_until_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
SUPERVISE = """
import json, sys
from mindfulqalb.development.programs import Process, Program
from mindfulqalb.development.supervisor import Console, Supervisor

programs = [
    Program(name=name, command=[sys.executable, "-u", "-c", code], grace=1.0)
    for name, code in json.loads(sys.argv[1]).items()
]
needed = [Process(Program(name="database", command=json.loads(sys.argv[2])))] if sys.argv[2:] else []
console = Console(sys.stdout, [program.name for program in programs], color=False)
sys.exit(Supervisor(programs, console, needed=needed).run())
"""
# Prints the process ids of itself and a child of its own.
FAMILY = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid)
"""
WAIT = "\nimport time; time.sleep(60)"
DEAF = "\nimport signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf')" + WAIT
POLITE = """
import signal, sys
def end(*_): print("ending"); sys.exit()
signal.signal(signal.SIGTERM, end); print("started"); signal.pause()
"""


class Supervised:
    """A supervisor process; its lines are read one by one."""

    def __init__(self, programs: dict[str, str], *needed: str) -> None:
        arguments = [json.dumps(programs), *([json.dumps([sys.executable, "-c", *needed])] if needed else [])]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISE, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        # A supervisor that never ends must fail the test, not hang it.
        self.limit = threading.Timer(30, self.process.kill)
        self.limit.start()

    @property
    def output(self) -> IO[str]:
        assert self.process.stdout
        return self.process.stdout

    def lines(self, count: int) -> list[str]:
        return [self.output.readline().rstrip("\n") for _ in range(count)]

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, list[str]]:
        """Send a signal; return the exit status and the lines that were still to come."""
        self.process.send_signal(number)
        return self.rest()

    def rest(self) -> tuple[int, list[str]]:
        lines = self.output.read().splitlines()
        return self.process.wait(timeout=20), lines


@pytest.fixture
def supervise() -> Iterator[type[Supervised]]:
    """Make supervisors that are gone after the test."""
    made: list[Supervised] = []

    class Recorded(Supervised):
        def __init__(self, programs: dict[str, str], *needed: str) -> None:
            super().__init__(programs, *needed)
            made.append(self)

    yield Recorded
    for supervised in made:
        supervised.limit.cancel()
        supervised.process.kill()
        supervised.process.wait()
        supervised.output.close()


def test_console_gives_all_names_one_width() -> None:
    stream = io.StringIO()
    console = Console(stream, ["web", "worker"], color=False)
    console.write_line("web", "one")
    console.write_line("worker", "two")
    console.write("three\n")
    assert stream.getvalue() == "web    | one\nworker | two\nthree\n"


def test_console_gives_every_name_a_color() -> None:
    stream = io.StringIO()
    console = Console(stream, ["a", "b", "c", "d", "e"], color=True)
    for name in "abe":
        console.write_line(name, "x")
    assert stream.getvalue() == "\033[36ma |\033[0m x\n\033[33mb |\033[0m x\n\033[36me |\033[0m x\n"


def test_console_outlives_its_terminal() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    stream = os.fdopen(writer, "w")
    Console(stream, ["web"], color=False).write_line("web", "to nobody")
    stream.close()  # writes what is left in its buffer, or raises
    assert stream.closed


def test_lines_of_both_streams_carry_the_name(supervise: type[Supervised]) -> None:
    code = (
        "import sys; sys.stdout.write('out\\n\\n'); sys.stdout.flush(); sys.stderr.buffer.write(b'\\xff err\\n')" + WAIT
    )
    assert supervise({"web": code}).lines(2) == ["web | out", "web | \ufffd err"]


def test_program_that_dies_is_started_again(supervise: type[Supervised], tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    code = (
        f"f = open({str(runs)!r}, 'a'); f.write('x'); f.close(); n = len(open({str(runs)!r}).read()); print('run', n)"
    )
    supervised = supervise({"web": code + "\nif n < 3: raise SystemExit(7)" + WAIT})
    again = "web | ended with status 7: starting it again."
    assert supervised.lines(5) == ["web | run 1", again, "web | run 2", again, "web | run 3"]
    assert supervised.end() == (0, [])


def test_death_by_signal_counts_too(supervise: type[Supervised]) -> None:
    supervised = supervise({"web": "import os; print(os.getpid())" + WAIT})
    os.kill(int(supervised.lines(1)[0].split()[-1]), signal.SIGKILL)
    assert supervised.lines(1) == ["web | ended with status 137: starting it again."]


def test_fifth_death_within_a_minute_ends_everything(supervise: type[Supervised], tmp_path: Path) -> None:
    started = tmp_path / "started"
    worker = FAMILY + f"open({str(started)!r}, 'w').close()" + WAIT
    web = f"import os, time\nwhile not os.path.exists({str(started)!r}): time.sleep(0.02)\nraise SystemExit(7)"
    status, lines = supervise({"worker": worker, "web": web}).rest()
    family = [int(pid) for pid in lines[0].removeprefix("worker | ").split()]
    assert (status, lines[1:]) == (
        1,
        ["web    | ended with status 7: starting it again."] * 4
        + ["web    | ended with status 7, 5 times within a minute: ending everything."],
    )
    assert len(family) == 2
    wait_until_gone(*family)


def test_needed_process_that_dies_ends_everything(supervise: type[Supervised]) -> None:
    supervised = supervise({"web": WAIT}, "raise SystemExit(3)")
    assert supervised.rest() == (1, ["database ended with status 3: ending everything. Its log: None"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_programs_end_in_the_given_order(supervise: type[Supervised], number: signal.Signals) -> None:
    supervised = supervise({"web": POLITE, "worker": POLITE, "beat": POLITE})
    assert sorted(supervised.lines(3)) == ["beat   | started", "web    | started", "worker | started"]
    assert supervised.end(number) == (0, ["web    | ending", "worker | ending", "beat   | ending"])


def test_sigterm_leaves_no_process_even_of_deaf_programs(supervise: type[Supervised]) -> None:
    supervised = supervise({"deaf": FAMILY + DEAF, "other": FAMILY + WAIT})
    lines = supervised.lines(3)
    family = [int(pid) for line in lines for pid in line.split()[2:] if pid != "deaf"]
    assert (supervised.end(), len(family)) == ((0, []), 4)
    wait_until_gone(*family)


def test_sigkill_of_the_supervisor_leaves_no_process(supervise: type[Supervised]) -> None:
    supervised = supervise({"deaf": FAMILY + DEAF, "other": FAMILY + WAIT})
    lines = supervised.lines(3)
    family = [int(pid) for line in lines for pid in line.split()[2:] if pid != "deaf"]
    assert (supervised.end(signal.SIGKILL)[0], len(family)) == (-signal.SIGKILL, 4)
    wait_until_gone(*family)


def test_terminal_that_is_gone_does_not_keep_it_from_ending(supervise: type[Supervised]) -> None:
    chatter = "import os, time\nprint(os.getpid())\nwhile True: print('x'); time.sleep(0.02)"
    supervised = supervise({"web": chatter})
    pid = int(supervised.lines(1)[0].split()[-1])
    supervised.output.close()
    time.sleep(0.2)
    supervised.process.terminate()
    assert (supervised.process.wait(timeout=20), is_gone(pid)) == (0, True)
