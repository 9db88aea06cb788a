"""What the plugin promises to every test: real servers, no call beyond this machine, tables that can be emptied."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
import redis
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import record
from mindfulqalb.development.leftovers import command_line
from mindfulqalb.development.temporary_home import temporary_home
from mindfulqalb.tests import plugin

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = "192.0.2.1"  # RFC 5737: nobody has this address


def record_something() -> None:
    record(action="test.happened", actor="test", target="test", now=datetime.now(UTC))


def test_servers_are_those_that_the_settings_name() -> None:
    with psycopg.connect(settings.DATABASE_URL) as session:
        role = session.execute("SELECT current_user, usesuper FROM pg_user WHERE usename = current_user").fetchone()
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        assert (role, client.ping()) == (("mindfulqalb", False), True)


def test_vendors_are_played_by_the_sandbox() -> None:
    assert (settings.ENVIRONMENT, settings.VENDORS) == ("development", "sandbox")


@pytest.mark.parametrize("call", ["connect", "connect_ex", "sendto"])
def test_sockets_beyond_this_machine_are_refused(call: str) -> None:
    arguments = [b"", (OUTSIDE, 53)] if call == "sendto" else [(OUTSIDE, 53)]
    with socket.socket(type=socket.SOCK_DGRAM) as outward, pytest.raises(PermissionError) as refusal:
        getattr(outward, call)(*arguments)
    plugin._outside_calls.clear()  # or this test would fail for having called outside
    event = call.removesuffix("_ex")
    assert str(refusal.value) == f"tests stay on this machine: socket.{event} {OUTSIDE}"


def test_names_beyond_this_machine_are_not_looked_up() -> None:
    with pytest.raises(PermissionError) as refusal:
        socket.create_connection(("api.example.com", 443))
    plugin._outside_calls.clear()
    assert str(refusal.value) == "tests stay on this machine: socket.getaddrinfo api.example.com"


def test_calls_to_this_machine_are_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
    assert plugin._outside_calls == []


def run_pytest(folder: Path, test: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one test in a process of its own, with the servers of this run unless `environment` empties their names."""
    (folder / "test_inner.py").write_text(f"from __future__ import annotations\n{test}\n")
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "no:cacheprovider", "-q", str(folder)]
    outer = {name: value for name, value in os.environ.items() if name != "CI"}  # pytest writes more where CI is set
    inner = {name: value for name, value in {**outer, **environment}.items() if value}
    return subprocess.run(command, check=False, cwd=ROOT, env=inner, capture_output=True, text=True)


def test_swallowed_refusal_fails_the_test(tmp_path: Path) -> None:
    test = f"""
import contextlib, socket
def test_inner():
    with contextlib.suppress(OSError):
        socket.create_connection(("{OUTSIDE}", 443))
"""
    run = run_pytest(tmp_path, test)
    complaint = f"Failed: called outside of this machine: socket.getaddrinfo {OUTSIDE}"
    assert (run.returncode, run.stdout.count(complaint)) == (1, 1)


@pytest.mark.parametrize("options", ["", "--collect-only", "--help", "--no-such-option"])
def test_servers_of_a_run_end_with_it(tmp_path: Path, options: str) -> None:
    with temporary_home() as folder:
        folder.chmod(0o711)  # the servers' account passes through to its own
        given = {"DATABASE_URL": "", "REDIS_URL": "", "TMPDIR": str(folder), "PYTEST_ADDOPTS": options}
        run = run_pytest(tmp_path, "def test_inner(): pass", **given)
        assert run.returncode == (4 if options == "--no-such-option" else 0)
        assert [path.name for path in folder.iterdir()] == []
        pids = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
        assert [line for line in map(command_line, pids) if str(folder) in line] == []


class TestEmptying:
    """Real transactions leave rows behind: each test but the first looks for those of the one before."""

    pytestmark = pytest.mark.django_db(transaction=True)

    def test_leaves_rows(self) -> None:
        record_something()
        assert AuditEvent.objects.count() == 1

    def test_finds_none_after_a_marked_test_and_leaves_a_broken_connection(self) -> None:
        assert AuditEvent.objects.count() == 0
        record_something()
        connection.set_autocommit(False)
        with pytest.raises(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT nothing")

    def test_finds_none_after_a_broken_connection_and_no_open_door(self) -> None:
        assert AuditEvent.objects.count() == 0
        record_something()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            AuditEvent.objects.all()._raw_delete("default")


def test_tables_are_emptied_after_the_fixture_too(transactional_db: None) -> None:
    assert AuditEvent.objects.count() == 0
    record_something()


def test_tables_are_empty_after_the_fixture(transactional_db: None) -> None:
    assert AuditEvent.objects.count() == 0
