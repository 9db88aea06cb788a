"""The whole product as real processes on its own database: web, worker, beat and sandbox, to be killed at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
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
    """Web, worker, beat, Redis and sandbox; `kill` is SIGKILL, as a crash would, and `start` brings it back."""

    def __init__(self, directory: Path, server_home: Path, database_url: str) -> None:
        self.directory = directory
        self.web_port = free_port()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.sandbox = SandboxProcess(directory / "sandbox.sqlite3", web=self.url)
        self.redis = RedisServer(server_home, free_port())
        self._admin_url = database_url
        self.database = f"journey_{uuid4().hex[:8]}"
        self._processes: dict[str, Process] = {}

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
            "CALENDAR_TAKEOVER_SECONDS": "4",
            "CALENDAR_LOOK_AGAIN_SECONDS": "2",
            "CALENDAR_REQUEST_DEADLINE": "3",
            "CALCOM_CALLS_PER_MINUTE": "2000",
            "RATE_LIMITS": '{"read":"10000/m","availability":"10000/m","consent":"10000/m",'
            '"booking":"10000/m","payment":"10000/m","webhook":"10000/m","email":"10000/m"}',
            "HOLDS_PER_ADDRESS": "1000",
            "PYTHONUNBUFFERED": "1",
        }

    def start_all(self) -> None:
        """Make the database and start everything."""
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.database)))
        self.redis.prepare()
        self.start("redis")
        for command in ("migrate", "load_roles", "load_catalogue", "load_consent_documents"):
            subprocess.run(
                [sys.executable, "manage.py", command], cwd=ROOT, env=self.environment, check=True, capture_output=True
            )
        self.sandbox.start()
        for name in ("web", "worker", "beat"):
            self.start(name)

    def stop_all(self) -> None:
        """End everything and drop the database."""
        for name in list(self._processes):
            self.kill(name)
        self.sandbox.kill()
        with psycopg.connect(self._admin_url, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.database)))

    def start(self, name: str) -> None:
        """Start one of web, worker, beat, redis and sandbox, and wait until web or sandbox answers."""
        if name == "sandbox":
            self.sandbox.start()
        else:
            program = self.redis.program if name == "redis" else self._program(name)
            self._processes[name] = Process(replace(program, stop_signal=signal.SIGKILL, grace=0))
        if name == "web":
            wait_until(self._web_answers, "web")

    def kill(self, name: str) -> None:
        """End one of them without a warning."""
        if name == "sandbox":
            self.sandbox.kill()
        else:
            self._processes.pop(name).stop()

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

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read from the database."""
        with psycopg.connect(self._url_of(self.database)) as connection:
            return list(connection.execute(query.encode()).fetchall())

    def logs(self) -> str:
        """Everything that the processes have printed."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.directory.glob("*.log")))

    def _program(self, name: str) -> Program:
        celery = [str(BIN / "celery"), "-A", "mindfulqalb.celery"]
        commands = {
            "web": [
                *(str(BIN / "granian"), "--interface", "wsgi", "mindfulqalb.wsgi:application", "--access-log"),
                *("--host", "127.0.0.1", "--port", str(self.web_port), "--workers", "1", "--blocking-threads", "8"),
            ],
            "worker": [*celery, "worker", "--concurrency", "2", "--loglevel", "info", "-n", f"{self.database}@%h"],
            "beat": [*celery, "beat", "--schedule", str(self.directory / "beat"), "--pidfile", ""],
        }
        # Each start has a log of its own: a program begins its log anew.
        log = self.directory / f"{name}-{len(list(self.directory.glob('*.log')))}.log"
        return Program(name=name, command=commands[name], directory=ROOT, environment=self.environment, log=log)

    def _web_answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/livez", timeout=2).ok
        except requests.ConnectionError:
            return False

    def _url_of(self, database: str) -> str:
        return self._admin_url.rpartition("/")[0] + f"/{database}"
