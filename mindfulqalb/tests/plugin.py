"""The pytest plugin of this house: real servers for the run, and no call that leaves this machine.

Loaded with `-p` by pyproject.toml. It sets the environment before pytest-django loads the settings. Servers given by
DATABASE_URL and REDIS_URL win; otherwise a private PostgreSQL and Redis start on free ports with empty data, and end
with the run, however it ends.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from django.db import DatabaseError, connection
from django.test import TestCase, TransactionTestCase

from mindfulqalb.development.account import server_home
from mindfulqalb.development.data_directory import data_directory
from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.ports import free_port
from mindfulqalb.development.postgres import PostgresServer
from mindfulqalb.development.redis import RedisServer
from mindfulqalb.development.temporary_home import temporary_home

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

LOCAL_NAMES = {"", "localhost", "localhost.localdomain", "ip6-localhost"}
FLUSHING_FIXTURES = {"transactional_db", "live_server"}

_outside_calls: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Prepare the environment, before pytest-django reads the settings."""
    os.environ.update(ENVIRONMENT="development", VENDORS="sandbox")
    counting = TemporaryDirectory(prefix="metrics-")
    early_config.add_cleanup(counting.cleanup)
    os.environ["METRICS_DIR"] = counting.name
    options = early_config.known_args_namespace
    if not (options.help or options.version or options.collectonly):
        _start_servers(early_config)
    sys.addaudithook(_refuse_outside_calls)
    return (yield)


def _start_servers(config: pytest.Config) -> None:
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if not missing:
        return
    ending = ExitStack()
    config.add_cleanup(ending.close)
    home = ending.enter_context(temporary_home())
    programs_home = server_home(data_directory())
    postgres = PostgresServer(home, free_port(), programs_home=programs_home, durable=False)
    servers: dict[str, PostgresServer | RedisServer] = {
        "DATABASE_URL": postgres,
        "REDIS_URL": RedisServer(home, free_port(), programs_home=programs_home),
    }
    try:
        for name in missing:
            ending.enter_context(servers[name])
            os.environ[name] = servers[name].url
        if "DATABASE_URL" in missing:
            os.environ["POSTGRES_PROGRAMS"] = str(postgres.programs)
    except DevelopmentError as error:
        raise pytest.UsageError(str(error)) from error


def _refuse_outside_calls(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse connections and name look-ups beyond this machine, from whatever library in this process."""
    if event in {"socket.connect", "socket.sendto"} and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        _outside_calls.append(f"{event} {host}")
        raise PermissionError(f"tests stay on this machine: {event} {host}")


def _is_local(host: str | bytes | None) -> bool:
    name = host.decode() if isinstance(host, bytes) else host or ""
    try:
        return ipaddress.ip_address(name.split("%")[0]).is_loopback
    except ValueError:
        return name.lower() in LOCAL_NAMES


@pytest.fixture(autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    """Fail the test that called outside, even when the code under test swallowed the refusal."""
    _outside_calls.clear()
    yield
    called = list(_outside_calls)
    _outside_calls.clear()
    if called:
        pytest.fail(f"called outside of this machine: {', '.join(called)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Let Django empty the append-only tables after a test with real transactions: they refuse TRUNCATE otherwise."""
    if not _is_flushed_after(item):
        return (yield)
    _open_door()
    try:
        return (yield)
    finally:
        connection.close()  # and with it the door


def _is_flushed_after(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    if mark and any((*mark.args[:2], mark.kwargs.get("transaction"), mark.kwargs.get("reset_sequences"))):
        return True
    test_class = getattr(item, "cls", None)
    if test_class and issubclass(test_class, TransactionTestCase):
        return not issubclass(test_class, TestCase)
    return not FLUSHING_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def _open_door() -> None:
    statement = "SET mindfulqalb.door = 'retention'"
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
    except DatabaseError:  # the test left its connection broken
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute(statement)
