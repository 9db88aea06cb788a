from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.claims import claim
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery, UnknownTopic
from mindfulqalb.outbox.services import NotInTransaction, enqueue, revive, settle
from mindfulqalb.outbox.states import State
from mindfulqalb.outbox.tests.builders import NOW, make_message, read

DEAD = {"state": State.DEAD, "finished_at": NOW, "attempts": 20, "fencing_token": 20, "last_error": "ProviderError: no"}


@pytest.mark.django_db
def test_enqueue_writes_a_pending_message(delivered: list[Delivery]) -> None:
    message = enqueue(topic="test.work", lane="booking:7", payload={"booking_id": "7"}, now=NOW)

    columns = ("topic", "lane", "payload", "state", "due_at", "attempts", "fencing_token", "created_at", "finished_at")
    assert read(message, *columns) == (
        "test.work", "booking:7", {"booking_id": "7"}, State.PENDING, NOW, 0, 0, NOW, None,
    )  # fmt: skip


@pytest.mark.django_db
def test_enqueue_numbers_messages_in_order(delivered: list[Delivery]) -> None:
    messages = [enqueue(topic="test.work", lane="booking:7", payload={}, now=NOW) for _ in range(3)]

    first = messages[0].sequence
    assert [message.sequence for message in messages] == [first, first + 1, first + 2]
    assert [read(message, "sequence") for message in messages] == [(first,), (first + 1,), (first + 2,)]


@pytest.mark.django_db(transaction=True)
def test_enqueue_outside_a_transaction_is_refused(delivered: list[Delivery]) -> None:
    with pytest.raises(NotInTransaction):
        enqueue(topic="test.work", lane="booking:7", payload={}, now=NOW)

    assert OutboxMessage.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_rollback_leaves_no_message_and_no_hint(delivered: list[Delivery]) -> None:
    with transaction.atomic():
        enqueue(topic="test.work", lane="booking:7", payload={}, now=NOW)
        hooks = len(connection.run_on_commit)
        transaction.set_rollback(True)

    assert hooks == 1
    assert len(connection.run_on_commit) == 0
    assert OutboxMessage.objects.count() == 0


@pytest.mark.django_db
def test_enqueue_refuses_an_unknown_topic() -> None:
    with pytest.raises(UnknownTopic, match=r"test\.wrok"):
        enqueue(topic="test.wrok", lane="booking:7", payload={}, now=NOW)

    assert OutboxMessage.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("payload", "error"),
    [
        ({"id": uuid4()}, TypeError),
        ({"id": float("nan")}, ValueError),
        ({1: "a"}, ValueError),
        ({"a": (1,)}, ValueError),
    ],
)
def test_enqueue_refuses_what_json_would_change(
    payload: dict[str, object], error: type[Exception], delivered: list[Delivery]
) -> None:
    with pytest.raises(error):
        enqueue(topic="test.work", lane="booking:7", payload=payload, now=NOW)

    assert OutboxMessage.objects.count() == 0


@pytest.mark.django_db
def test_enqueue_for_later_publishes_no_hint(delivered: list[Delivery]) -> None:
    hooks = len(connection.run_on_commit)

    enqueue(topic="test.work", lane="booking:7", payload={}, now=NOW, due_at=NOW + timedelta(seconds=30))

    assert len(connection.run_on_commit) == hooks


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("broken", "constraint"),
    [
        ({"state": "LOST", "finished_at": NOW}, "outbox_state_known"),
        ({"finished_at": NOW}, "outbox_finished_unless_pending"),
        ({"state": State.DEAD}, "outbox_finished_unless_pending"),
        ({"topic": ""}, "outbox_topic_and_lane_named"),
        ({"lane": ""}, "outbox_topic_and_lane_named"),
    ],
)
def test_the_database_refuses_an_impossible_message(broken: dict[str, object], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        make_message(**broken)


@pytest.mark.django_db
def test_the_database_refuses_one_sequence_twice() -> None:
    message = make_message()

    with pytest.raises(IntegrityError, match="outbox_sequence_unique"):
        OutboxMessage.objects.filter(id=make_message().id).update(sequence=message.sequence)


@pytest.mark.django_db
def test_settle_marks_the_topic_in_the_lane_alone(delivered: list[Delivery]) -> None:
    message = make_message(lane="booking:1", due_at=NOW + timedelta(seconds=30))
    others = [make_message(lane="booking:1", topic="test.other"), make_message(lane="booking:2")]

    assert settle(lane="booking:1", topic="test.work", now=NOW) == 1

    assert read(message, "state", "finished_at", "attempts") == (State.DELIVERED, NOW, 0)
    assert [read(other, "state") for other in others] == [(State.PENDING,), (State.PENDING,)]


@pytest.mark.django_db
def test_settle_leaves_finished_messages_alone() -> None:
    dead = make_message(**DEAD)

    assert settle(lane="booking:1", topic="test.work", now=NOW + timedelta(hours=1)) == 0

    assert read(dead, "state", "finished_at", "fencing_token") == (State.DEAD, NOW, 20)


@pytest.mark.django_db
def test_revive_gives_a_dead_message_all_its_attempts_again(delivered: list[Delivery]) -> None:
    dead = make_message(**DEAD)
    later = NOW + timedelta(hours=1)

    assert revive(message_ids=[dead.id], actor="staff:5", now=later) == 1

    columns = ("state", "due_at", "attempts", "finished_at", "fencing_token", "last_error")
    assert read(dead, *columns) == (State.PENDING, later, 0, None, 21, "ProviderError: no")


@pytest.mark.django_db
def test_revive_hints_at_each_message_it_revived() -> None:
    dead, delivered = make_message(**DEAD), make_message(state=State.DELIVERED, finished_at=NOW)
    hooks = len(connection.run_on_commit)

    revive(message_ids=[dead.id, delivered.id], actor="staff:5", now=NOW)

    assert len(connection.run_on_commit) == hooks + 1


@pytest.mark.django_db
def test_revive_is_on_record() -> None:
    dead = make_message(**DEAD)

    revive(message_ids=[dead.id], actor="staff:5", now=NOW)

    assert list(AuditEvent.objects.values_list("action", "actor", "target", "details", "occurred_at")) == [
        ("outbox.revived", "staff:5", f"outbox:{dead.id}", {"topic": "test.work", "lane": "booking:1"}, NOW)
    ]


@pytest.mark.django_db
def test_revive_twice_revives_once() -> None:
    dead = make_message(**DEAD)

    assert [revive(message_ids=[dead.id], actor="staff:5", now=NOW) for _ in range(2)] == [1, 0]

    assert (AuditEvent.objects.count(), *read(dead, "fencing_token")) == (1, 21)


@pytest.mark.django_db
def test_revive_touches_neither_pending_nor_delivered_messages() -> None:
    pending = make_message(attempts=3)
    delivered = make_message(state=State.DELIVERED, finished_at=NOW, attempts=1)

    assert revive(message_ids=[pending.id, delivered.id], actor="staff:5", now=NOW) == 0

    assert (*read(pending, "attempts"), *read(delivered, "state")) == (3, State.DELIVERED)


@pytest.mark.django_db
def test_revived_messages_queue_up_behind_their_lane_in_their_old_order() -> None:
    first_dead, second_dead, pending = make_message(**DEAD), make_message(**DEAD), make_message()

    revive(message_ids=[second_dead.id, first_dead.id], actor="staff:5", now=NOW)

    order = list(OutboxMessage.objects.order_by("sequence").values_list("id", flat=True))
    assert order == [pending.id, first_dead.id, second_dead.id]


@pytest.mark.django_db
def test_a_revived_message_waits_for_the_delivery_that_runs_in_its_lane() -> None:
    dead, pending = make_message(**DEAD), make_message()
    claim(now=NOW, message_id=pending.id)

    revive(message_ids=[dead.id], actor="staff:5", now=NOW)

    assert claim(now=NOW, message_id=dead.id) is None
