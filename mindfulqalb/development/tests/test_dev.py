"""`manage.py dev`, the real thing, from the first start to the second."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
import requests

from mindfulqalb.development.clean_data import clean
from mindfulqalb.development.ports import free_port, is_taken

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
PORTS = ("WEB_PORT", "SANDBOX_PORT", "SANDBOX_SMTP_PORT", "EMBEDDED_POSTGRES_PORT", "EMBEDDED_REDIS_PORT")
COUNT_OFFERS = "from mindfulqalb.catalogue.models import SessionOffer; print(SessionOffer.objects.count())"
LOGIN = re.compile(r"^  Admin login, shown this once: user admin, password \S+$", re.MULTILINE)


class Machine:
    """Free ports and an empty data directory, as in a fresh checkout."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.ports = {name: free_port() for name in PORTS}
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            **{name: str(port) for name, port in self.ports.items()},
            "ENVIRONMENT": "development",
            "DATA_DIR": str(data),
        }
        self.runs: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        """Start `manage.py dev`."""
        run = subprocess.Popen(
            [sys.executable, "manage.py", "dev"],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.runs.append(run)
        return run

    def manage(self, *arguments: str) -> tuple[int, str]:
        """Run another command in a second terminal."""
        command = [sys.executable, "manage.py", *arguments]
        ended = subprocess.run(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        return ended.returncode, ended.stdout.decode()

    def page(self, port: str, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.ports[port]}{path}", timeout=20)

    def left_overs(self, *, seconds: float = 20) -> list[str]:
        """What a run left: ports still taken and processes that know our folder, once it had time to go."""
        deadline = time.monotonic() + seconds
        while (left := self._left()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return left

    def _left(self) -> list[str]:
        taken = [name for name, port in self.ports.items() if is_taken(port)]
        return taken + [str(process) for process in Path("/proc").glob("[0-9]*") if self._is_ours(process)]

    def _is_ours(self, process: Path) -> bool:
        try:
            known = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:  # gone, or somebody else's
            return False
        return os.fsencode(self.data) in known

    def close(self) -> None:
        for run in self.runs:
            run.kill()
            run.wait()
            if run.stdout:
                run.stdout.close()
        self.left_overs()
        clean(self.data)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "data")
    yield machine
    machine.close()


def read_until(output: IO[str] | None, words: str) -> str:
    """Read lines up to and including the first with these words."""
    assert output
    lines: list[str] = []
    for line in output:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"{words!r} was not among:\n{''.join(lines)}")


def test_dev_runs_everything_and_leaves_nothing_but_data(machine: Machine) -> None:
    run = machine.start()
    first_lines = read_until(run.stdout, "Mailbox")
    assert len(LOGIN.findall(first_lines)) == 1
    _assert_everything_runs(machine, first_lines, password="as printed above")
    assert machine.manage("shell", "--no-imports", "-c", COUNT_OFFERS) == (0, "8\n")
    run.terminate()
    last_line = run.communicate()[0].splitlines()[-1]
    assert (run.returncode, last_line, machine.left_overs(seconds=0)) == (0, "MindfulQALB has ended.", [])
    assert not (machine.data / "development.env").exists()

    run = machine.start()
    lines = read_until(run.stdout, "Mailbox")
    assert LOGIN.findall(lines) == []
    _assert_everything_runs(
        machine, lines, password="as printed by the first run; forgotten: make manage ARGS='changepassword admin'"
    )
    _assert_second_run_is_refused(machine, run.pid)
    run.send_signal(signal.SIGKILL)
    assert (run.wait(), machine.left_overs()) == (-signal.SIGKILL, [])


def _assert_everything_runs(machine: Machine, lines: str, *, password: str) -> None:
    web, sandbox = (f"http://127.0.0.1:{machine.ports[name]}" for name in ("WEB_PORT", "SANDBOX_PORT"))
    assert lines.partition("MindfulQALB is running")[2].splitlines() == [
        "; Ctrl-C ends it.",
        f"  Booking page   {web}/",
        f"  Admin          {web}/admin/ (user admin, password {password})",
        f"  API documents  {web}/api/docs",
        f"  Sandbox        {sandbox}/",
        f"  Mailbox        {sandbox}/mail",
    ]
    offers = machine.page("WEB_PORT", "/api/catalogue").json()["sessions"]
    assert len(offers) == 8
    assert [machine.page("SANDBOX_PORT", path).status_code for path in ("/", "/mail")] == [200, 200]
    assert (machine.data / "development.env").stat().st_mode & 0o777 == 0o600


def _assert_second_run_is_refused(machine: Machine, pid: int) -> None:
    refusal = (
        f"`make run` is running from {machine.data} already (process {pid}). "
        "Stop that one, or choose another folder with DATA_DIR and other ports.\n"
    )
    assert machine.manage("dev") == (1, refusal)


def test_dev_refuses_a_taken_port_before_it_starts_anything(machine: Machine) -> None:
    machine.environment["SANDBOX_SMTP_PORT"] = machine.environment["WEB_PORT"]
    port = machine.ports["WEB_PORT"]
    refusal = (
        f"Port {port} is wanted twice, by the web server and the sandbox's mailbox: "
        "set WEB_PORT or SANDBOX_SMTP_PORT to another one.\n"
    )
    assert machine.manage("dev") == (1, refusal)
    assert [path.name for path in machine.data.iterdir()] == ["lock"]


def test_dev_uses_the_servers_that_it_is_given(machine: Machine) -> None:
    machine.environment |= {
        "DATABASE_URL": "postgresql://mindfulqalb@127.0.0.1:1/mindfulqalb",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    status, output = machine.manage("dev")
    assert (status, output.splitlines()[:2]) == (1, ["  Tables ... failed", "Tables failed with status 1:"])
    assert not (machine.data / "servers").exists()
