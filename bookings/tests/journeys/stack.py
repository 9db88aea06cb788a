"""The whole product as real processes on its own database: web, worker, beat and sandbox, to be ended at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import psycopg
import requests
from psycopg import sql

from bookings.tests.builders import next_slot
from bookings.tests.visitor import Visitor
from mindfulqalb.development.programs import Process, Program
from mindfulqalb.development.redis import RedisServer
from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
PATIENCE_SECONDS = 60
GRACE_SECONDS = 30
LOOK_EVERY_SECONDS = 0.2
T = TypeVar("T")


def wait_until(look: Callable[[], T], what: str, *, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until something true is seen, and return it."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if seen := look():
            return seen
        time.sleep(0.1)
    raise TimeoutError(f"waited {seconds} s for {what}")


class Stack:
    """Web, worker, beat, Redis and sandbox; `kill` is SIGKILL, as a crash would, and `start` brings it back.

    What ends by itself is started again and named in `died`, as by every supervisor. A second web server (`web2`, at
    `second_url`) is there for whoever starts it.
    """

    def __init__(self, directory: Path, server_home: Path, database_url: str) -> None:
        self.directory = directory
        self.web_port = free_port()
        self.second_port = free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.second_url = f"http://127.0.0.1:{self.second_port}"
        self.sandbox = SandboxProcess(directory / "sandbox.sqlite3", web=self.url)
        self.redis = RedisServer(server_home, free_port())
        self._admin_url = database_url
        self.database = f"journey_{uuid4().hex[:8]}"
        self.died: list[str] = []
        self._processes: dict[str, Process] = {}
        self._lock = Lock()
        self._is_over = Event()
        self._supervisor = Thread(target=self._tend, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """What every process is told."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SANDBOX_", "DATABASE_", "REDIS_"))}
        return inherited | {
            "ENVIRONMENT": "development",
            "DATABASE_URL": self._url_of(self.database),
            "REDIS_URL": self.redis.url,
            "WEB_PORT": str(self.web_port),
            "SANDBOX_PORT": str(self.sandbox.port),
            "SANDBOX_SMTP_PORT": str(self.sandbox.smtp_port),
            "OUTBOX_SWEEP_SECONDS": "1",
            "OUTBOX_LEASE_SECONDS": "5",
            "WORKER_STOP_SECONDS": "10",
            "CALENDAR_TAKEOVER_SECONDS": "4",
            "CALENDAR_LOOK_AGAIN_SECONDS": "2",
            "CALENDAR_REQUEST_DEADLINE": "3",
            "CALCOM_CALLS_PER_MINUTE": "2000",
            "RATE_LIMITS": '{"read":"10000/m","availability":"10000/m","consent":"10000/m",'
            '"booking":"10000/m","payment":"10000/m","webhook":"10000/m","email":"10000/m",'
            '"email_anywhere":"10000/m"}',
            "HOLDS_PER_ADDRESS": "1000",
            "FREE_CALLS_PER_ADDRESS": "1000",
            "PYTHONUNBUFFERED": "1",
        }

    def start_all(self) -> None:
        """Make the database and start everything."""
        self.prepare()
        self.sandbox.start()
        for name in ("web", "worker", "beat"):
            self.start(name)

    def prepare(self) -> None:
        """Make the database, start Redis, and load what every practice has."""
        self._supervisor.start()
        self.make_database(self.database)
        self.redis.prepare()
        self.start("redis")
        for command in ("migrate", "load_roles", "load_catalogue", "load_consent_documents"):
            self.manage(command).check_returncode()

    def stop_all(self) -> None:
        """End everything and drop the database."""
        self._is_over.set()
        self._supervisor.join()
        for name in list(self._processes):
            self.kill(name)
        self.sandbox.kill()
        self.drop_database(self.database)

    def make_database(self, name: str) -> None:
        """Make an empty one."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def drop_database(self, name: str) -> None:
        """Drop one, whoever is connected."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def manage(self, *words: str, database: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run `manage.py`, on this stack's database unless another is named."""
        environment = self.environment | {"DATABASE_URL": self._url_of(database or self.database)} | variables
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)

    def start(self, name: str, *, ends_by: signal.Signals = signal.SIGKILL) -> None:
        """Start one of web, web2, worker, beat, redis and sandbox, and wait until web or sandbox answers.

        `kill` will end it by a signal: SIGTERM is how a deployment does.
        """
        if name == "sandbox":
            self.sandbox.start()
            return
        with self._lock:
            self._processes[name] = self._spawn(name, ends_by)
        if name.startswith("web"):
            wait_until(lambda: self._answers(name), name)

    def kill(self, name: str) -> int:
        """End one of them, without a warning unless `start` was told otherwise, and return its exit status."""
        if name == "sandbox":
            self.sandbox.kill()
            return 0
        with self._lock:
            process = self._processes.pop(name)
        return process.stop()

    def visitor(self, starts_at: datetime | None = None, **overrides: Any) -> Visitor:
        """A client of this stack."""
        return Visitor(self.post, self.sandbox, starts_at or next_slot(), **overrides)

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send JSON to web."""
        response = requests.post(self.url + path, json=body, timeout=30)
        return response.status_code, response.json()

    def status(self, hold: dict[str, Any]) -> str:
        """Ask for a booking's state by its token."""
        headers = {"Authorization": f"Bearer {hold['token']}"}
        answer = requests.get(f"{self.url}/api/bookings/{hold['bookingId']}", headers=headers, timeout=10)
        return str(answer.json()["status"])

    def mails_to(self, email: str) -> list[dict[str, Any]]:
        """What the sandbox's mailbox holds for somebody."""
        return [mail for mail in self.sandbox.mailbox() if email in str(mail["to"])]

    def rows(self, query: str, database: str = "") -> list[tuple[Any, ...]]:
        """Read from the database, this stack's unless another is named."""
        with psycopg.connect(self._url_of(database or self.database)) as connection:
            return list(connection.execute(query.encode()).fetchall())

    def logs(self) -> str:
        """Everything that the processes have printed."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.directory.glob("*.log")))

    def _tend(self) -> None:
        while not self._is_over.wait(LOOK_EVERY_SECONDS):
            with self._lock:
                for name, process in self._processes.items():
                    if process.status is not None:
                        self.died.append(name)
                        self._processes[name] = self._spawn(name, process.program.stop_signal)

    def _spawn(self, name: str, ends_by: signal.Signals) -> Process:
        program = self.redis.program if name == "redis" else self._program(name)
        return Process(replace(program, stop_signal=ends_by, grace=GRACE_SECONDS))

    def _program(self, name: str) -> Program:
        celery = [str(BIN / "celery"), "-A", "mindfulqalb.celery"]
        commands = {
            "web": self._web(self.web_port),
            "web2": self._web(self.second_port),
            "worker": [*celery, "worker", "--concurrency", "2", "--loglevel", "info", "-n", f"{self.database}@%h"],
            "beat": [*celery, "beat", "--schedule", str(self.directory / "beat"), "--pidfile", ""],
        }
        # Each start has a log of its own: a program begins its log anew.
        log = self.directory / f"{name}-{len(list(self.directory.glob('*.log')))}.log"
        return Program(name=name, command=commands[name], directory=ROOT, environment=self.environment, log=log)

    @staticmethod
    def _web(port: int) -> list[str]:
        return [
            *(str(BIN / "granian"), "--interface", "asgi", "mindfulqalb.asgi:application", "--access-log"),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        ]

    def _answers(self, name: str) -> bool:
        try:
            return requests.get(f"{self.url if name == 'web' else self.second_url}/livez", timeout=2).ok
        except requests.ConnectionError:
            return False

    def _url_of(self, database: str) -> str:
        return self._admin_url.rpartition("/")[0] + f"/{database}"
