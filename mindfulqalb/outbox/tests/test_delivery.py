from __future__ import annotations

import logging
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from mindfulqalb.outbox import registry
from mindfulqalb.outbox.claims import claim
from mindfulqalb.outbox.delivery import Shift, deliver_due, deliver_message
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery, RetryLater
from mindfulqalb.outbox.services import enqueue, settle
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tests.builders import NOW, Handle, make_message, read
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("still_clock")]

LEASE = timedelta(seconds=60)


def failing(failure: Exception) -> registry.Handler:
    def fail(_: Delivery) -> None:
        raise failure

    return fail


def deliver_until_nothing_is_due(message: OutboxMessage, *, attempts: int) -> None:
    """Try as often as told, each time when the message is due again."""
    for _ in range(attempts):
        (due_at,) = read(message, "due_at")
        deliver_message(message_id=message.id, now=due_at)


def test_delivery_hands_over_the_message(delivered: list[Delivery]) -> None:
    message = make_message(payload={"booking_id": "7"}, lane="booking:7")

    deliver_message(message_id=message.id, now=NOW)

    assert delivered == [
        Delivery(
            message_id=message.id,
            topic="test.work",
            lane="booking:7",
            payload={"booking_id": "7"},
            attempts=1,
            now=NOW,
        )
    ]


def test_delivery_marks_the_message_delivered(delivered: list[Delivery]) -> None:
    message = make_message()

    deliver_message(message_id=message.id, now=NOW)

    columns = ("state", "finished_at", "leased_until", "attempts", "last_error")
    assert read(message, *columns) == (State.DELIVERED, NOW, None, 1, "")


def test_a_delivered_message_is_not_delivered_again(delivered: list[Delivery]) -> None:
    message = make_message()

    deliver_message(message_id=message.id, now=NOW)
    deliver_message(message_id=message.id, now=NOW + timedelta(days=1))

    assert (len(delivered), *read(message, "attempts")) == (1, 1)


def test_a_message_that_is_not_due_waits(delivered: list[Delivery]) -> None:
    message = make_message(due_at=NOW + timedelta(seconds=30))

    deliver_message(message_id=message.id, now=NOW)
    deliver_due(now=NOW, limit=10)
    waiting = len(delivered)
    deliver_due(now=NOW + timedelta(seconds=30), limit=10)

    assert (waiting, len(delivered)) == (0, 1)


def test_a_cancel_never_overtakes_its_create(handle: Handle) -> None:
    calls: list[str] = []

    def create(delivery: Delivery) -> None:
        calls.append("create")
        if delivery.attempts == 1:
            raise ProviderError("no answer", permanent=False)

    handle(create, "test.create")
    handle(lambda _: calls.append("cancel"), "test.cancel")
    make_message(topic="test.create")
    cancel = make_message(topic="test.cancel")

    deliver_due(now=NOW, limit=10)
    deliver_message(message_id=cancel.id, now=NOW)
    assert calls == ["create"]

    deliver_due(now=NOW + timedelta(seconds=5), limit=10)
    assert calls == ["create", "create", "cancel"]


def test_delivery_goes_on_to_what_waited_in_the_lane(delivered: list[Delivery]) -> None:
    first, second, later = make_message(), make_message(), make_message(due_at=NOW + timedelta(seconds=1))
    make_message(lane="booking:2")

    deliver_message(message_id=first.id, now=NOW)

    assert [delivery.message_id for delivery in delivered] == [first.id, second.id]
    assert read(later, "state") == (State.PENDING,)


def test_a_handler_may_enqueue_behind_itself(handle: Handle, delivered: list[Delivery]) -> None:
    def enqueue_next(delivery: Delivery) -> None:
        with transaction.atomic():
            enqueue(topic="test.work", lane=delivery.lane, payload={}, now=delivery.now)

    handle(enqueue_next, "test.first")
    message = make_message(topic="test.first")

    deliver_message(message_id=message.id, now=NOW)

    assert [delivery.lane for delivery in delivered] == [message.lane]


def test_deliver_due_stops_at_its_limit(delivered: list[Delivery]) -> None:
    for number in range(3):
        make_message(lane=f"booking:{number}")

    assert [deliver_due(now=NOW, limit=2) for _ in range(3)] == [2, 1, 0]
    assert [delivery.lane for delivery in delivered] == ["booking:0", "booking:1", "booking:2"]


@pytest.fixture
def hasty_clock(still_clock: None, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Let ten seconds pass at every look at the clock, in a shift of fifteen."""
    seconds = count(step=10.0)
    monkeypatch.setattr("mindfulqalb.outbox.delivery.monotonic", lambda: next(seconds))
    settings.OUTBOX_SWEEP_SECONDS = 15


@pytest.mark.usefixtures("hasty_clock")
def test_deliver_due_leaves_the_rest_to_the_next_sweep(delivered: list[Delivery]) -> None:
    for number in range(3):
        make_message(lane=f"booking:{number}")

    assert deliver_due(now=NOW, limit=10) == 1
    assert len(delivered) == 1


@pytest.mark.usefixtures("hasty_clock")
def test_deliver_message_leaves_the_rest_of_the_lane_to_the_next_sweep(delivered: list[Delivery]) -> None:
    first, *_ = [make_message() for _ in range(3)]

    deliver_message(message_id=first.id, now=NOW)

    assert [delivery.message_id for delivery in delivered] == [first.id]


def test_a_lease_starts_when_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.0, 40.0])
    monkeypatch.setattr("mindfulqalb.outbox.delivery.monotonic", lambda: next(seconds))

    assert Shift(NOW).now() == NOW + timedelta(seconds=40)


def test_a_failure_is_kept_and_tried_again_after_a_pause(handle: Handle, caplog: pytest.LogCaptureFixture) -> None:
    handle(failing(ValueError("asha@example.org")))
    message = make_message()

    deliver_message(message_id=message.id, now=NOW)

    state, leased_until, attempts, due_at, last_error = read(
        message, "state", "leased_until", "attempts", "due_at", "last_error"
    )
    assert (state, leased_until, attempts) == (State.PENDING, None, 1)
    assert timedelta(seconds=4) <= due_at - NOW <= timedelta(seconds=5)
    assert last_error.startswith("ValueError at tests/test_delivery.py:")
    assert caplog.messages == [f"outbox message {message.id} of topic test.work failed: {last_error}"]


def test_an_unknown_topic_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    message = make_message(topic="test.unheard")

    assert deliver_due(now=NOW, limit=10) == 1

    state, last_error = read(message, "state", "last_error")
    assert (state, last_error.split(" at ")[0]) == (State.PENDING, "UnknownTopic")


def test_a_vendor_sets_the_pause(handle: Handle) -> None:
    handle(failing(ProviderError("busy", permanent=False, retry_after=timedelta(minutes=7))))
    message = make_message()

    deliver_message(message_id=message.id, now=NOW)

    assert read(message, "due_at", "attempts", "last_error") == (NOW + timedelta(minutes=7), 1, "ProviderError: busy")


def test_retry_later_waits_as_told_and_counts_nothing(handle: Handle, caplog: pytest.LogCaptureFixture) -> None:
    handle(failing(RetryLater(timedelta(seconds=30))))
    message = make_message()

    deliver_until_nothing_is_due(message, attempts=3)

    columns = ("state", "due_at", "attempts", "fencing_token", "leased_until", "last_error")
    assert read(message, *columns) == (State.PENDING, NOW + timedelta(seconds=90), 0, 3, None, "")
    assert caplog.messages == []


def test_a_message_that_waits_keeps_its_lane(handle: Handle, delivered: list[Delivery]) -> None:
    handle(failing(RetryLater(timedelta(seconds=30))), "test.wait")
    message = make_message(topic="test.wait")
    make_message()

    deliver_message(message_id=message.id, now=NOW)

    assert delivered == []


def test_a_permanent_error_is_dead_at_once(handle: Handle, caplog: pytest.LogCaptureFixture) -> None:
    handle(failing(ProviderError("no such event type", permanent=True)))
    message = make_message()

    deliver_message(message_id=message.id, now=NOW)

    columns = ("state", "finished_at", "leased_until", "attempts", "last_error")
    assert read(message, *columns) == (State.DEAD, NOW, None, 1, "ProviderError: no such event type")
    assert caplog.record_tuples[-1] == (
        "mindfulqalb.outbox.delivery",
        logging.ERROR,
        f"outbox message {message.id} of topic test.work is dead",
    )


def test_a_message_is_dead_after_the_last_attempt(handle: Handle, settings: Settings) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 3
    handle(failing(ProviderError("no answer", permanent=False)))
    message = make_message()

    deliver_until_nothing_is_due(message, attempts=2)
    state_before = read(message, "state")
    deliver_until_nothing_is_due(message, attempts=2)

    assert state_before == (State.PENDING,)
    assert read(message, "state", "attempts", "last_error") == (State.DEAD, 3, "ProviderError: no answer")


def test_a_message_that_never_reports_back_is_dead_in_the_end(delivered: list[Delivery], settings: Settings) -> None:
    settings.OUTBOX_MAX_ATTEMPTS = 3
    message = make_message()
    for attempt in range(3):
        claim(now=NOW + attempt * LEASE)

    deliver_due(now=NOW + 3 * LEASE, limit=10)

    assert delivered == []
    assert read(message, "state", "last_error") == (
        State.DEAD,
        "The worker of the last attempt never reported back",
    )


def test_the_dead_are_followed_by_the_rest_of_their_lane(handle: Handle, delivered: list[Delivery]) -> None:
    handle(failing(ProviderError("no", permanent=True)), "test.die")
    dead, after = make_message(topic="test.die"), make_message()

    deliver_message(message_id=dead.id, now=NOW)

    assert [delivery.message_id for delivery in delivered] == [after.id]


def test_an_app_hears_of_its_dead(handle: Handle, monkeypatch: pytest.MonkeyPatch) -> None:
    mourned: list[Delivery] = []
    monkeypatch.setitem(registry.mourners, "test.work", mourned.append)
    handle(failing(ProviderError("no", permanent=True)))
    dead = make_message()
    make_message(lane="booking:2", topic="test.other", state=State.DEAD, finished_at=NOW)

    deliver_due(now=NOW, limit=10)

    assert [delivery.message_id for delivery in mourned] == [dead.id]


def test_a_mourner_that_fails_undoes_its_own_writes_only(
    handle: Handle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def write_and_fail(_: Delivery) -> None:
        make_message(lane="written while mourning")
        raise ValueError("asha@example.org")

    monkeypatch.setitem(registry.mourners, "test.work", write_and_fail)
    handle(failing(ProviderError("no", permanent=True)))
    make_message()

    deliver_due(now=NOW, limit=1)

    assert list(OutboxMessage.objects.values_list("lane", "state")) == [("booking:1", State.DEAD)]
    assert "asha@example.org" not in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR", "ERROR"]


def test_a_death_that_is_void_is_not_mourned(
    handle: Handle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def settle_and_fail(delivery: Delivery) -> None:
        settle(lane=delivery.lane, topic=delivery.topic, now=delivery.now)
        raise ProviderError("taken", permanent=True)

    monkeypatch.setitem(registry.mourners, "test.work", lambda _: make_message(lane="written while mourning"))
    handle(settle_and_fail)
    message = make_message()

    deliver_due(now=NOW, limit=10)

    assert list(OutboxMessage.objects.values_list("lane", "state")) == [("booking:1", State.DELIVERED)]
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert read(message, "last_error", "leased_until") == ("", None)


def test_a_handler_that_settles_its_own_message_opens_the_lane(handle: Handle, delivered: list[Delivery]) -> None:
    handle(lambda delivery: settle(lane=delivery.lane, topic=delivery.topic, now=NOW), "test.settle")
    settled, after = make_message(topic="test.settle"), make_message()

    deliver_message(message_id=settled.id, now=NOW)

    assert read(settled, "state", "leased_until") == (State.DELIVERED, None)
    assert [delivery.message_id for delivery in delivered] == [after.id]


def test_a_worker_that_lost_its_lease_writes_nothing(handle: Handle) -> None:
    def outlive_the_lease(_: Delivery) -> None:
        claim(now=NOW + LEASE)

    handle(outlive_the_lease)
    message = make_message()

    deliver_message(message_id=message.id, now=NOW)

    assert read(message, "state", "leased_until", "fencing_token") == (State.PENDING, NOW + 2 * LEASE, 2)


@pytest.mark.django_db(transaction=True)
def test_the_handler_runs_outside_any_transaction(handle: Handle) -> None:
    in_transaction: list[bool] = []
    handle(lambda _: in_transaction.append(connection.in_atomic_block))
    make_message()

    deliver_due(now=NOW, limit=1)

    assert in_transaction == [False]
