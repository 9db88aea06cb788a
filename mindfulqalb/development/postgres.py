"""A private PostgreSQL: on 127.0.0.1 only, with a password of its own, ending with us."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from mindfulqalb.development.leftovers import end_leftover, end_sessions
from mindfulqalb.development.ports import HOST
from mindfulqalb.development.postgres_data import data_version, make_data
from mindfulqalb.development.postgres_versions import choose_installation
from mindfulqalb.development.programs import Program
from mindfulqalb.development.servers import Server

if TYPE_CHECKING:
    from pathlib import Path

DATABASE = "mindfulqalb"
ROLE = "mindfulqalb"  # owns the database and may create others, for tests; as in production, it is no superuser
SUPERUSER = "postgres"
NOT_DURABLE = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class PostgresServer(Server):
    """PostgreSQL. Data outlive the server.

    `durable=False` trades safety against a power cut for speed.
    """

    name = "PostgreSQL"
    start_seconds = 60
    silence = psycopg.OperationalError

    def __init__(
        self, home: Path, port: int, *, programs_home: Path | None = None, durable: bool = True, wheel: bool = False
    ) -> None:
        super().__init__(home, port, programs_home=programs_home, wheel=wheel)
        self.durable = durable
        self.cluster = self.home / "postgres"

    @property
    def url(self) -> str:
        """The address of the application's database, password included."""
        return self._address(ROLE, DATABASE)

    @property
    def programs(self) -> Path:
        """Where its `pg_dump` is, once prepared."""
        return self.installation.binaries

    def prepare(self) -> None:
        """Make folders and data as far as they are missing, and end what an earlier run left running."""
        super().prepare()
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

    def ask(self) -> None:
        """Connect."""
        psycopg.connect(self._address(SUPERUSER, "postgres"), connect_timeout=5).close()

    def make_ready(self) -> None:
        """Make the application's role and database."""
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
