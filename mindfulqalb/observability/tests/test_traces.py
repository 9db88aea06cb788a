"""One thread from a click to the last thing that came of it: request, person, task, and the replay of the visit."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from django.test import RequestFactory
from django.utils import timezone

from mindfulqalb.observability.logging import JsonFormatter
from mindfulqalb.observability.request_ids import bound_request_id, current_request_id
from mindfulqalb.observability.traces import bound_request, bound_task, current_traces, note_user
from mindfulqalb.outbox import registry
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from mindfulqalb.outbox.registry import Delivery

REPLAY = "https://app.logrocket.com/practice/site/s/6-0190/1"


def within_request(url: str) -> dict[str, str]:
    with bound_request(RequestFactory().get("/", headers={"X-LogRocket-URL": url})):
        return current_traces()


def test_nothing_is_known_outside() -> None:
    assert current_traces() == {}


def test_replay_of_the_visit_is_carried_along() -> None:
    assert within_request(REPLAY) == {"replayUrl": REPLAY}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://evil.example/",
        "https://app.logrocket.com.evil.example/",
        "http://app.logrocket.com/a",
        "javascript:alert(1)",
        f"{REPLAY}?email=jane@example.com",
        f"{REPLAY}\n{REPLAY}",
        "https://app.logrocket.com/" + "x" * 201,
    ],
)
def test_what_is_no_replay_is_dropped(url: str) -> None:
    assert within_request(url) == {}


def test_person_and_task_are_forgotten_with_their_block() -> None:
    with bound_request(RequestFactory().get("/")):
        note_user("42")
        with bound_task("message"):
            inside = current_traces()
        between = current_traces()

    assert [inside, between, current_traces()] == [{"userId": "42", "taskId": "message"}, {"userId": "42"}, {}]


def test_log_lines_say_it() -> None:
    record = logging.LogRecord("access", logging.INFO, "", 0, "GET %s", ("admin/",), None)
    record.fields = {"status": 200}

    with bound_request_id("request-1"), bound_task("task-1"):
        line = json.loads(JsonFormatter().format(record))

    del line["time"]
    assert line == {
        "level": "INFO",
        "logger": "access",
        "message": "GET admin/",
        "requestId": "request-1",
        "taskId": "task-1",
        "status": 200,
    }


@pytest.mark.django_db(transaction=True)
def test_work_in_the_worker_goes_on_under_the_id_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, dict[str, str]]] = []

    def handler(delivery: Delivery) -> None:
        seen.append((current_request_id(), current_traces()))

    monkeypatch.setitem(registry.handlers, "test.traced", handler)
    now = timezone.now()
    with bound_request_id("request-1"), transaction.atomic():
        enqueue(topic="test.traced", lane="test:1", payload={}, now=now)

    deliver_due(now=now, limit=1)

    message = OutboxMessage.objects.get()
    assert seen == [("request-1", {"taskId": str(message.id)})]
