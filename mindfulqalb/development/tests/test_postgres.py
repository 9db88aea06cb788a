"""The private PostgreSQL: who may use it, what survives, and who it runs as."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from mindfulqalb.development.account import server_account
from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.leftovers import command_line
from mindfulqalb.development.ports import free_port, is_taken
from mindfulqalb.development.postgres import PostgresServer
from mindfulqalb.development.temporary_home import temporary_home
from mindfulqalb.development.tests.processes import is_gone, wait_until_gone

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = ("server_encoding", "listen_addresses", "unix_socket_directories", "max_connections", "fsync", "TimeZone")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One folder for all tests here: making data takes seconds."""
    with temporary_home() as made:
        yield made


def serve(home: Path) -> PostgresServer:
    return PostgresServer(home, free_port(), durable=False)


def query(url: str, statement: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement).fetchone()
        return row[0] if row else None


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])


def test_server_is_for_this_machine_and_this_database_only(home: Path) -> None:
    with PostgresServer(home, free_port()) as server:
        superuser = server._address("postgres", "postgres")
        found = [query(superuser, f"SHOW {name}") for name in SETTINGS]
        assert found == ["UTF8", "127.0.0.1", "", "200", "on", "UTC"]
        owner = query(server.url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
        assert owner == "mindfulqalb"
        assert query(server.url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE EXTENSION btree_gist")
            assert connection.execute("SELECT lower('É'), 'Z' < 'a'").fetchone() == ("é", True)


def test_server_runs_as_an_ordinary_user(home: Path) -> None:
    account = server_account()
    with serve(home):
        uid = Path(f"/proc/{postmaster(home)}").stat().st_uid
    assert uid == (account.uid if account else os.geteuid())
    assert uid != 0


@pytest.mark.parametrize("role", ["mindfulqalb", "postgres"])
@pytest.mark.parametrize("password", ["", ":wrong"])
def test_wrong_password_is_refused(home: Path, role: str, password: str) -> None:
    with serve(home) as server, pytest.raises(psycopg.OperationalError) as refusal:
        psycopg.connect(f"postgresql://{role}{password}@127.0.0.1:{server.port}/mindfulqalb")
    assert ("password" in str(refusal.value), "scram" in (home / "postgres" / "pg_hba.conf").read_text()) == (
        True,
        True,
    )


def test_password_is_readable_by_its_owner_alone(home: Path) -> None:
    with serve(home) as server:
        first = server.url.partition("@")[0]
    with serve(home) as server:
        assert server.url.partition("@")[0] == first
    assert stat.S_IMODE((home / "password").stat().st_mode) == 0o600


def test_data_survive_a_restart_and_a_crash(home: Path) -> None:
    server = PostgresServer(home, free_port())
    with server, psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS number")
    with server, psycopg.connect(server.url) as connection:
        connection.execute("UPDATE kept SET number = number + 1")
        connection.commit()
        os.kill(postmaster(home), signal.SIGKILL)
    with server:
        assert query(server.url, "SELECT number FROM kept") == 2


def test_data_are_used_again_while_a_session_outlives_its_server(home: Path) -> None:
    server = serve(home)
    with server, closing(psycopg.connect(server.url, autocommit=True)) as connection:
        # In a loop without pause it does not notice that its server is gone.
        connection.pgconn.send_query(b"DO 'BEGIN LOOP END LOOP; END'")
        session = connection.info.backend_pid
        os.kill(postmaster(home), signal.SIGKILL)
        server.stop()
        assert not is_gone(session)
        with server:
            assert query(server.url, "SELECT 1") == 1
        wait_until_gone(session)


def test_server_that_was_left_running_is_ended(home: Path) -> None:
    left = serve(home)
    left.start()
    pid = postmaster(home)
    with serve(home) as server:
        assert query(server.url, "SELECT 1") == 1
        assert (is_taken(left.port), command_line(pid)) == (False, "")
        assert server.log.read_text().count("was not properly shut down") == 0
    left.stop()


def test_pid_file_of_somebody_else_ends_nobody(home: Path) -> None:
    serve(home).prepare()
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}/postgres\n")
    with serve(home) as server:
        assert query(server.url, "SELECT 1") == 1


def test_taken_port_is_named(home: Path) -> None:
    with serve(home) as server, temporary_home() as other:
        shutil.copytree(home / "postgres", other / "postgres")
        with pytest.raises(DevelopmentError, match=f"port {server.port}"):
            PostgresServer(other, server.port).start()


def test_server_of_a_test_run_trades_safety_for_speed(home: Path) -> None:
    with PostgresServer(home, free_port(), durable=False) as server:
        found = [query(server.url, f"SHOW {name}") for name in ("fsync", "synchronous_commit", "full_page_writes")]
    assert found == ["off", "off", "off"]


def test_wheel_serves_where_the_machine_has_no_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED_SERVERS", "wheel")
    with temporary_home() as home:
        server = PostgresServer(home, free_port(), durable=False)
        with server, psycopg.connect(server.url) as connection:
            connection.execute("CREATE EXTENSION btree_gist")
            pid = postmaster(home)
            assert command_line(pid).startswith(f"{home}/pg0-")
        wait_until_gone(pid)
        monkeypatch.delenv("EMBEDDED_SERVERS")  # data stay with the version that made them
        server = PostgresServer(home, free_port(), durable=False)
        with server:
            assert command_line(postmaster(home)).startswith(f"{home}/pg0-")
            assert query(server.url, "SELECT extname FROM pg_extension WHERE extname = 'btree_gist'") == "btree_gist"


def test_data_of_a_version_that_is_gone_are_left_alone() -> None:
    with temporary_home() as home:
        (home / "postgres").mkdir()
        (home / "postgres" / "PG_VERSION").write_text("13\n")
        with pytest.raises(DevelopmentError) as refusal:
            PostgresServer(home, free_port()).start()
        assert str(refusal.value) == (
            f"The data in {home} were made by PostgreSQL 13, which this machine no longer has. "
            "Install it, or begin with new data after `make clean-data`."
        )
        assert [path.name for path in (home / "postgres").iterdir()] == ["PG_VERSION"]
