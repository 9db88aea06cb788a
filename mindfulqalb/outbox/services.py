"""Put messages into the outbox, and take them out of turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.db.models.expressions import DatabaseDefault, Value

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record
from mindfulqalb.observability.request_ids import current_request_id
from mindfulqalb.outbox.hints import publish_hint
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import handler_for
from mindfulqalb.outbox.states import State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID


class NotInTransaction(RuntimeError):
    """A message was enqueued apart from the state change that asks for it."""


class NotDead(Refusal):
    """Only what was given up needs a second life: the rest is on its way, or done."""

    code = "message_not_dead"
    status = 409
    sentence = "This message is not dead: it is tried again by itself, or it is delivered."


def enqueue(
    *, topic: str, lane: str, payload: dict[str, Any], now: datetime, due_at: datetime | None = None
) -> OutboxMessage:
    """Write down what is to be done outside, in the caller's transaction; a worker hears of it after the commit.

    `payload` holds ids only. The order in a lane is the order of these calls: hold the lock on the booking or payment
    that the lane is named after. Raises NotInTransaction, UnknownTopic, and TypeError or ValueError when JSON would not
    give the payload back unchanged.
    """
    if not transaction.get_connection().in_atomic_block:
        raise NotInTransaction(f"{topic} must be enqueued in the transaction of the change that asks for it")
    handler_for(topic)
    if json.loads(json.dumps(payload, allow_nan=False)) != payload:
        raise ValueError(f"the payload of {topic} does not survive JSON unchanged")
    message = OutboxMessage.objects.create(
        topic=topic,
        lane=lane,
        payload=payload,
        due_at=due_at or now,
        created_at=now,
        request_id=current_request_id(),
    )
    if message.due_at <= now:
        _hint_on_commit(message.id, message.due_at)
    return message


def settle(*, lane: str, topic: str, now: datetime) -> int:
    """Mark a lane's pending messages of `topic` delivered, because the work was done another way; return how many.

    A delivery that is running all the same may still do the work once more: its result is void, and its lease keeps the
    lane closed until it ends, so that nothing overtakes it.
    """
    return OutboxMessage.objects.filter(lane=lane, topic=topic, state=State.PENDING).update(
        state=State.DELIVERED, finished_at=now, fencing_token=F("fencing_token") + 1
    )


@transaction.atomic
def revive(*, message_ids: Iterable[UUID], actor: str, now: datetime) -> int:
    """Give dead messages a second life with all attempts ahead; return how many were dead.

    Each goes to the end of its lane: what is being delivered there must not meet it.
    """
    dead = OutboxMessage.objects.select_for_update().filter(id__in=message_ids, state=State.DEAD)
    messages = list(dead.order_by("sequence"))
    for message in messages:
        OutboxMessage.objects.filter(id=message.id).update(
            state=State.PENDING,
            sequence=DatabaseDefault(Value(None)),
            due_at=now,
            attempts=0,
            finished_at=None,
            fencing_token=F("fencing_token") + 1,
        )
        record(
            action="outbox.revived",
            actor=actor,
            target=f"outbox:{message.id}",
            details={"topic": message.topic, "lane": message.lane},
            now=now,
        )
        _hint_on_commit(message.id, now)
    return len(messages)


def revive_one(*, message_id: UUID, actor: str, now: datetime) -> None:
    """Give one dead message a second life. Raises NotDead."""
    if not revive(message_ids=[message_id], actor=actor, now=now):
        raise NotDead


@transaction.atomic
def bring_forward(*, lane: str, topic: str, actor: str, now: datetime) -> bool:
    """Have a lane's message of `topic` delivered now: one that waits for its next attempt, or a dead one revived.

    Returns whether there is one; what is being delivered at this moment stays as it is.
    """
    known = OutboxMessage.objects.filter(lane=lane, topic=topic)
    waiting = known.select_for_update().filter(state=State.PENDING).order_by("sequence").first()
    if waiting is None:
        return (
            revive(message_ids=known.filter(state=State.DEAD).values_list("id", flat=True)[:1], actor=actor, now=now)
            > 0
        )
    if waiting.due_at > now:
        OutboxMessage.objects.filter(id=waiting.id).update(due_at=now)
        _hint_on_commit(waiting.id, now)
    return True


def _hint_on_commit(message_id: UUID, due_at: datetime) -> None:
    # Not a functools.partial: Django cannot log the failure of a robust one, and raises into the commit.
    transaction.on_commit(lambda: publish_hint(message_id=message_id, due_at=due_at), robust=True)
