from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import transaction
from redis import Redis

from mindfulqalb.celery import app
from mindfulqalb.development.ports import free_port
from mindfulqalb.development.redis import RedisServer
from mindfulqalb.development.temporary_home import temporary_home
from mindfulqalb.outbox import hints
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.outbox.tasks import sweep
from mindfulqalb.outbox.tests.builders import NOW

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from mindfulqalb.outbox.registry import Delivery

MESSAGES = 5


def port_of(server: socket.socket) -> int:
    port: int = server.getsockname()[1]
    return port


def connections_to(server: socket.socket) -> int:
    """Count the clients that came to a silent server."""
    count = 0
    while True:
        try:
            client, _ = server.accept()
        except TimeoutError:
            return count
        client.close()
        count += 1


def enqueue_messages() -> float:
    """Commit some messages, one by one; return how many seconds that took."""
    started = monotonic()
    for number in range(MESSAGES):
        with transaction.atomic():
            enqueue(topic="test.work", lane=f"booking:{number}", payload={}, now=NOW)
    return monotonic() - started


@pytest.mark.django_db(transaction=True)
def test_a_hung_broker_costs_half_a_second_once(
    silent_server: socket.socket, monkeypatch: pytest.MonkeyPatch, delivered: list[Delivery]
) -> None:
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"redis://127.0.0.1:{port_of(silent_server)}/0")
    # The workers' patience is not ours.
    monkeypatch.delitem(app.conf.broker_transport_options, "socket_timeout", raising=False)

    assert enqueue_messages() < 3  # a bound for hanging, generous on a busy machine
    assert connections_to(silent_server) == 1
    assert OutboxMessage.objects.count() == MESSAGES


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_costs_nothing_and_the_sweep_delivers(
    silent_server: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    delivered: list[Delivery],
) -> None:
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"redis://127.0.0.1:{port_of(silent_server)}/0")
    silent_server.close()

    assert enqueue_messages() < 3  # a bound for hanging, generous on a busy machine
    assert [record.name for record in caplog.records] == ["mindfulqalb.outbox.hints"]
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    sweep()
    assert [delivery.lane for delivery in delivered] == [f"booking:{number}" for number in range(MESSAGES)]


@pytest.mark.django_db(transaction=True)
def test_a_hint_that_fails_otherwise_never_reaches_the_caller(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, delivered: list[Delivery]
) -> None:
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", "nonsense://127.0.0.1")

    with transaction.atomic():
        enqueue(topic="test.work", lane="booking:1", payload={}, now=NOW)

    assert OutboxMessage.objects.count() == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_after_the_pause_the_broker_is_tried_again(
    silent_server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 100.0
    monkeypatch.setattr(hints, "monotonic", lambda: seconds)
    monkeypatch.setenv("CELERY_BROKER_WRITE_URL", f"redis://127.0.0.1:{port_of(silent_server)}/0")

    hints.publish_hint(message_id=uuid4(), due_at=NOW)
    seconds = 109.9
    hints.publish_hint(message_id=uuid4(), due_at=NOW)
    during_the_pause = connections_to(silent_server)
    seconds = 110.0
    hints.publish_hint(message_id=uuid4(), due_at=NOW)

    assert (during_the_pause, connections_to(silent_server)) == (1, 1)


def _hints_of_a_crowd() -> None:
    """Publish from several threads, as a web server does."""
    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(lambda _: hints.publish_hint(message_id=uuid4(), due_at=NOW), range(40)))


def _waiting(broker: Redis) -> int:
    return int(broker.llen("celery"))


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """A Redis of this test's own, to be ended at will."""
    with temporary_home() as home, RedisServer(home, free_port()) as server:
        monkeypatch.setenv("CELERY_BROKER_WRITE_URL", server.url)
        yield server


def test_hints_share_their_connections(broker: RedisServer) -> None:
    hints.publish_hint(message_id=uuid4(), due_at=NOW)
    with Redis.from_url(broker.url) as watcher:
        before = watcher.info()["total_connections_received"]

        for _ in range(20):
            hints.publish_hint(message_id=uuid4(), due_at=NOW)

        assert (watcher.info()["total_connections_received"] - before, _waiting(watcher)) == (0, 21)


def test_hints_of_many_threads_all_arrive(broker: RedisServer) -> None:
    _hints_of_a_crowd()

    with Redis.from_url(broker.url) as watcher:
        assert _waiting(watcher) == 40


def test_a_hint_after_the_broker_was_started_again_arrives(broker: RedisServer) -> None:
    hints.publish_hint(message_id=uuid4(), due_at=NOW)
    with Redis.from_url(broker.url) as watcher:
        watcher.client_kill_filter(_type="normal", skipme=True)

        hints.publish_hint(message_id=uuid4(), due_at=NOW)

        assert _waiting(watcher) == 2


def test_a_hint_to_a_broker_that_was_emptied_arrives_after_the_pause(
    broker: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 100.0
    monkeypatch.setattr(hints, "monotonic", lambda: seconds)
    hints.publish_hint(message_id=uuid4(), due_at=NOW)
    with Redis.from_url(broker.url) as watcher:
        watcher.flushall()

        hints.publish_hint(message_id=uuid4(), due_at=NOW)
        seconds = 110.0
        hints.publish_hint(message_id=uuid4(), due_at=NOW)

        assert _waiting(watcher) >= 1
