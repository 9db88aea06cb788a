"""What is left to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Min

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@dataclass(frozen=True)
class Backlog:
    """How far behind the outbox is. `oldest` is how long the message that waits longest has been due."""

    overdue: int
    oldest: timedelta
    dead: int


def is_waiting(*, lane: str, topic: str) -> bool:
    """Tell whether a message of this topic is still to be delivered in a lane."""
    return OutboxMessage.objects.filter(lane=lane, topic=topic, state=State.PENDING).exists()


def backlog(*, now: datetime) -> Backlog:
    """Count the messages that are due and not delivered, and the dead ones."""
    due = OutboxMessage.objects.filter(state=State.PENDING, due_at__lte=now)
    overdue, oldest_due_at = due.aggregate(count=Count("id"), oldest=Min("due_at")).values()
    return Backlog(
        overdue=overdue,
        oldest=now - (oldest_due_at or now),
        dead=OutboxMessage.objects.filter(state=State.DEAD).count(),
    )
