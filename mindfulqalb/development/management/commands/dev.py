"""Run everything that MindfulQALB consists of on one machine."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mindfulqalb.development.account import server_home
from mindfulqalb.development.data_directory import data_directory, make_data_directory, only_user
from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.ports import HOST
from mindfulqalb.development.postgres import PostgresServer
from mindfulqalb.development.preparation import (
    WantedPort,
    read_environment,
    require_free_ports,
    run_step,
    step,
    wait_for_answers,
    write_environment,
)
from mindfulqalb.development.programs import Program
from mindfulqalb.development.redis import RedisServer
from mindfulqalb.development.supervisor import Console, Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mindfulqalb.development.programs import Process

EMBEDDED_SERVERS = ("DATABASE_URL", "REDIS_URL")
STEPS = {
    "Tables": "migrate",
    "Roles": "load_roles",
    "Catalogue": "load_catalogue",
    "Retention rules": "load_retention_rules",
    "Consent documents": "load_consent_documents",
    "Admin login": "create_development_staff",
}
# Seconds between SIGTERM and SIGKILL, in the order in which the programs end: 14 altogether.
GRACES = {"web": 4.0, "beat": 1.0, "worker": 7.0, "sandbox": 2.0}


class Command(BaseCommand):
    """`manage.py dev`: databases, migrations, web, worker, beat and sandbox, until Ctrl-C."""

    help = "Run the whole of MindfulQALB on this machine: databases, web, worker, beat and sandbox."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to end; exit with 1 after one clear sentence when that cannot be."""
        signal.signal(signal.SIGTERM, _interrupt)
        self.console = Console(sys.stdout, list(GRACES), color=sys.stdout.isatty() and "NO_COLOR" not in os.environ)
        self.data = data_directory()
        self.needed: list[Process] = []
        try:
            status = self._run()
        except DevelopmentError as error:
            self.stderr.write(str(error))
            sys.exit(1)
        except KeyboardInterrupt:
            status = 0
        self.console.write("MindfulQALB has ended.\n")
        sys.exit(status)

    def _run(self) -> int:
        file = self.data / "development.env"
        make_data_directory(self.data)
        with only_user(self.data), ExitStack() as ending:
            given = _given_servers(read_environment(file))
            require_free_ports(_wanted_ports(given))
            servers = self._start_servers(given, ending)
            write_environment(file, servers)
            _forget_counters()
            ending.callback(file.unlink, missing_ok=True)
            # These settings were loaded before the servers had addresses: everything else is a process of its own.
            environment = {**os.environ, **servers, "DATA_DIR": str(self.data), "PYTHONUNBUFFERED": "1"}
            login = self._prepare(environment)
            return self._supervise(environment, login)

    def _start_servers(self, given: Mapping[str, str], ending: ExitStack) -> dict[str, str]:
        """Start those that nobody has named; return the addresses of both."""
        home, servers = server_home(self.data), dict(given)
        if "DATABASE_URL" not in given:
            with step(f"PostgreSQL on port {settings.EMBEDDED_POSTGRES_PORT}", self.console):
                postgres = PostgresServer(home, settings.EMBEDDED_POSTGRES_PORT)
                self._keep(postgres, ending)
                servers |= {"DATABASE_URL": postgres.url, "POSTGRES_PROGRAMS": str(postgres.programs)}
        if "REDIS_URL" not in given:
            with step(f"Redis on port {settings.EMBEDDED_REDIS_PORT}", self.console):
                redis = RedisServer(home, settings.EMBEDDED_REDIS_PORT)
                self._keep(redis, ending)
                servers["REDIS_URL"] = redis.url
        return servers

    def _keep(self, server: PostgresServer | RedisServer, ending: ExitStack) -> None:
        self.needed.append(server.start())
        ending.callback(server.stop)

    def _prepare(self, environment: Mapping[str, str]) -> str:
        """Run the steps; return the admin login when it is new."""
        for title, command in STEPS.items():
            program = _program(command, [sys.executable, "manage.py", command], environment)
            output = run_step(title, program, self.console)
        if output:
            self.console.write(f"\n  {output}\n\n")
        return output

    def _supervise(self, environment: Mapping[str, str], login: str) -> int:
        programs = [_program(name, command, environment) for name, command in _commands(self.data).items()]
        announcing = threading.Thread(target=self._announce, args=(login,), daemon=True)
        announcing.start()
        return Supervisor(programs, self.console, needed=self.needed).run()

    def _announce(self, login: str) -> None:
        """Wait until pages are there, then say where."""
        local = {"web": f"http://{HOST}:{settings.WEB_PORT}/livez"}
        if settings.SANDBOX:
            local["sandbox"] = f"http://{HOST}:{settings.SANDBOX_PORT}/"
        wait_for_answers(local.values())
        self.console.write(_addresses(login))


def _forget_counters() -> None:
    """Begin to count anew: the files of processes that have ended would be added up for ever."""
    for file in Path(settings.METRICS_DIR).glob("*.db"):
        file.unlink()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _given_servers(left: Mapping[str, str]) -> dict[str, str]:
    """Return the servers that the person at the machine has named.

    The settings have read what a killed run `left`, too: that does not count.
    """
    found = {name: os.environ.get(name) for name in EMBEDDED_SERVERS}
    return {name: address for name, address in found.items() if address and address != left.get(name)}


def _wanted_ports(given: Mapping[str, str]) -> list[WantedPort]:
    ports = [WantedPort(settings.WEB_PORT, "the web server", "WEB_PORT")]
    if settings.SANDBOX:
        ports.append(WantedPort(settings.SANDBOX_PORT, "the sandbox", "SANDBOX_PORT"))
        ports.append(WantedPort(settings.SANDBOX_SMTP_PORT, "the sandbox's mailbox", "SANDBOX_SMTP_PORT"))
    if "DATABASE_URL" not in given:
        ports.append(WantedPort(settings.EMBEDDED_POSTGRES_PORT, "PostgreSQL", "EMBEDDED_POSTGRES_PORT"))
    if "REDIS_URL" not in given:
        ports.append(WantedPort(settings.EMBEDDED_REDIS_PORT, "Redis", "EMBEDDED_REDIS_PORT"))
    return ports


def _program(name: str, command: Sequence[str], environment: Mapping[str, str]) -> Program:
    return Program(
        name=name,
        command=command,
        environment=environment,
        directory=settings.BASE_DIR,
        grace=GRACES.get(name, 1.0),
    )


def _commands(data: Path) -> dict[str, list[str]]:
    """The programs in the order in which they end: first what takes on work, then what does it."""
    commands = {"web": _web(), "beat": _beat(data), "worker": _worker()}
    return commands | ({"sandbox": _sandbox(data)} if settings.SANDBOX else {})


def _web() -> list[str]:
    # Of WEB_THREADS four may wait for the calendar, the others serve. No `--backpressure`: it counts idle browser
    # connections too.
    options = ["--interface", "asgi", "--no-ws", "--workers", "1", "--log-level", "error"]
    address = ["--host", HOST, "--port", str(settings.WEB_PORT)]
    return [sys.executable, "-m", "granian", *options, *address, "mindfulqalb.asgi:application"]


def _beat(data: Path) -> list[str]:
    return [*_celery(), "beat", "--schedule", str(data / "beat"), "--loglevel", "info"]


def _worker() -> list[str]:
    return [*_celery(), "worker", "--concurrency", "2", "--loglevel", "info"]


def _celery() -> list[str]:
    # Who works as root on a machine of their own knows it.
    known = ["-W", "ignore::UserWarning:celery.platforms"]
    return [sys.executable, *known, "-m", "celery", "--quiet", "--app", "mindfulqalb.celery"]


def _sandbox(data: Path) -> list[str]:
    ports = ["--port", str(settings.SANDBOX_PORT), "--smtp-port", str(settings.SANDBOX_SMTP_PORT)]
    state = ["--state", str(data / "sandbox.sqlite3")]
    return [sys.executable, "-m", "mindfulqalb.sandbox", *ports, *state, "--web", settings.SITE_URL]


def _addresses(login: str) -> str:
    password = (
        "as printed above"
        if login
        else "as printed by the first run; forgotten: make manage ARGS='changepassword admin'"
    )
    pages = {
        "Booking page": f"{settings.SITE_URL}/",
        "Admin": f"{settings.SITE_URL}/admin/ (user admin, password {password})",
        "API documents": f"{settings.SITE_URL}/api/docs",
    }
    if settings.SANDBOX:
        sandbox = f"http://{HOST}:{settings.SANDBOX_PORT}"
        pages |= {"Sandbox": f"{sandbox}/", "Mailbox": f"{sandbox}/mail"}
    lines = (f"  {title:<14} {address}\n" for title, address in pages.items())
    return f"\nMindfulQALB is running; Ctrl-C ends it.\n{''.join(lines)}\n"
