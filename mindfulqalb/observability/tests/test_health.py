"""Monitors learn what is broken and to whom it matters."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connection, connections
from django.test import Client

from mindfulqalb.observability import health
from mindfulqalb.observability.health import PROBE_SECONDS, PROBE_THREADS, Check, overdue_for
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

pytestmark = pytest.mark.urls("mindfulqalb.api.tests.urls")

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def make_message(**overrides: Any) -> OutboxMessage:
    columns = {"topic": "email.confirmation", "lane": "booking:1", "payload": {}, "due_at": NOW, "created_at": NOW}
    return OutboxMessage.objects.create(**(columns | overrides))


def readiness() -> tuple[int, str, list[str]]:
    response = Client().get("/readyz")
    body = json.loads(response.content)
    return response.status_code, body["status"], [failure["name"] for failure in body["failures"]]


@contextmanager
def committed(statement: str, undo: str) -> Iterator[None]:
    """Change what every connection sees: a probe has a connection of its own."""
    parameters = connection.get_connection_params()
    wanted = {key: parameters[key] for key in ("host", "port", "dbname", "user", "password") if key in parameters}
    with psycopg.connect(**wanted, autocommit=True) as other:
        other.execute(statement)
        try:
            yield
        finally:
            other.execute(undo)


def test_a_probe_that_hangs_is_not_waited_for() -> None:
    gate = threading.Event()

    def hang() -> None:
        gate.wait(timeout=20 * PROBE_SECONDS)

    failure = Check("slow thing", hang, "Nobody.").failure()
    gate.set()

    detail = "There was no answer within 1 s, or a wrong one."
    assert failure == {"name": "slow thing", "detail": detail, "affects": "Nobody."}


def test_hanging_probes_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    seen: list[str] = []

    def hang() -> None:
        gate.wait(timeout=60)

    with monkeypatch.context() as hurry:
        hurry.setattr(health, "PROBE_SECONDS", 0.05)
        failures = [Check("slow thing", hang, "Nobody.").failure() for _ in range(PROBE_THREADS)]
        failures.append(Check("too late", lambda: seen.append("too late"), "Nobody.").failure())
    gate.set()

    assert None not in failures
    assert Check("in time", lambda: seen.append("in time"), "Nobody.").failure() is None
    assert seen == ["in time"]


def test_livez_needs_nothing() -> None:
    response = Client().get("/livez")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


def test_api_health_is_one_word() -> None:
    response = Client().get("/api/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert Client().head("/api/health").status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/health"])
def test_monitors_only_look(path: str) -> None:
    assert Client().post(path).status_code == 405


@pytest.mark.django_db
def test_readyz_is_ok_when_all_is_well() -> None:
    response = Client().get("/readyz")

    assert (response.status_code, response.json()) == (200, {"status": "ok", "failures": []})


@pytest.mark.django_db
def test_a_dead_database_makes_us_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.databases["default"], "PORT", "1")

    response = Client().get("/readyz")

    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "failures": [
            {
                "name": "database",
                "detail": "There was no answer within 1 s, or a wrong one.",
                "affects": "Nobody can book, pay or sign in.",
            }
        ],
    }


@pytest.mark.django_db
def test_a_database_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setitem(connections.databases["default"], "PORT", str(server.getsockname()[1]))

        assert readiness() == (503, "unavailable", ["database"])


@pytest.mark.django_db
def test_a_missing_migration_makes_us_unavailable() -> None:
    with committed(
        "UPDATE django_migrations SET app = 'hidden' WHERE app = 'outbox'",
        "UPDATE django_migrations SET app = 'outbox' WHERE app = 'hidden'",
    ):
        response = Client().get("/readyz")

    assert (response.status_code, response.json()["status"]) == (503, "unavailable")
    (failure,) = response.json()["failures"]
    assert (failure["name"], failure["detail"]) == ("migrations", "1 apps have migrations that were not applied.")


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://:wrong@127.0.0.1:1/0"])
def test_a_dead_redis_only_degrades_us(settings: Settings, url: str) -> None:
    settings.REDIS_URL = url

    assert readiness() == (200, "degraded", ["redis"])


@pytest.mark.django_db
def test_a_redis_that_never_answers_is_not_waited_for(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"

        assert readiness() == (200, "degraded", ["redis"])


@pytest.mark.django_db
def test_an_overdue_outbox_degrades_us() -> None:
    with committed(
        "INSERT INTO outbox_messages"
        " (id, topic, lane, payload, state, due_at, attempts, fencing_token, last_error, created_at) VALUES"
        " (gen_random_uuid(), 'test.overdue', 'x', '{}', 'PENDING', now() - interval '1 hour', 0, 0, '', now())",
        "DELETE FROM outbox_messages WHERE topic = 'test.overdue'",
    ):
        response = Client().get("/readyz")

    (failure,) = response.json()["failures"]
    assert (response.status_code, response.json()["status"], failure["name"]) == (200, "degraded", "outbox")
    assert failure["detail"].startswith("The oldest message has been due for 360")


@pytest.mark.django_db
def test_an_answer_tells_no_secrets(settings: Settings) -> None:
    settings.REDIS_URL = "redis://:s3cret@127.0.0.1:1/0"

    text = Client().get("/readyz").content.decode()

    assert "s3cret" not in text
    assert "127.0.0.1" not in text


@pytest.mark.django_db
def test_the_most_overdue_message_counts() -> None:
    assert overdue_for(now=NOW) == timedelta()

    make_message(due_at=NOW - timedelta(minutes=7))
    make_message(due_at=NOW - timedelta(minutes=9))
    make_message(due_at=NOW + timedelta(minutes=9))
    make_message(due_at=NOW - timedelta(hours=1), state=State.DELIVERED, finished_at=NOW)
    make_message(due_at=NOW - timedelta(hours=1), state=State.DEAD, finished_at=NOW)

    assert overdue_for(now=NOW) == timedelta(minutes=9)
