"""Take a message for delivery and write down what came of it; one statement each, so that no two workers both can."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State

if TYPE_CHECKING:
    from uuid import UUID

# "= (SELECT ... LIMIT 1)" and not "IN": the planner may run an IN again for every row, and lock more than one.
CLAIM = """
UPDATE outbox_messages
SET leased_until = %(leased_until)s, attempts = attempts + 1, fencing_token = fencing_token + 1
WHERE id = (
    SELECT message.id
    FROM outbox_messages AS message
    WHERE message.state = 'PENDING'
      AND message.due_at <= %(now)s
      AND (message.leased_until IS NULL OR message.leased_until <= %(now)s)
      AND (%(message_id)s::uuid IS NULL OR message.id = %(message_id)s::uuid)
      AND (%(lane)s::text IS NULL OR message.lane = %(lane)s::text)
      AND NOT EXISTS (
          SELECT FROM outbox_messages AS earlier
          WHERE earlier.lane = message.lane
            AND earlier.sequence < message.sequence
            AND (earlier.state = 'PENDING' OR earlier.leased_until > %(now)s)
      )
    ORDER BY message.due_at, message.sequence
    LIMIT 1
    FOR UPDATE OF message SKIP LOCKED
)
RETURNING *
"""


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt, in columns."""

    state: State
    due_at: datetime
    attempts: int
    last_error: str


def claim(*, now: datetime, message_id: UUID | None = None, lane: str | None = None) -> OutboxMessage | None:
    """Lease the message that has been due longest and whose turn it is, of all or of those asked for."""
    parameters = {
        "now": now,
        "leased_until": now + timedelta(seconds=settings.OUTBOX_LEASE_SECONDS),
        "message_id": message_id,
        "lane": lane,
    }
    # Durable: inside somebody's transaction, the lease would be invisible and the handler would run in it.
    with transaction.atomic(durable=True):
        return next(iter(OutboxMessage.objects.raw(CLAIM, parameters)), None)


def conclude(message: OutboxMessage, outcome: Outcome, *, now: datetime) -> bool:
    """Write the outcome and give the lease back; return False, and write nothing, when the message is not ours now."""
    finished_at = None if outcome.state == State.PENDING else now
    ours = OutboxMessage.objects.filter(id=message.id, fencing_token=message.fencing_token)
    return bool(ours.update(**asdict(outcome), finished_at=finished_at, leased_until=None))


def release(message: OutboxMessage) -> None:
    """Give the lease back on a message that was settled while we delivered it, so that its lane goes on."""
    settled = OutboxMessage.objects.filter(id=message.id, state=State.DELIVERED, leased_until=message.leased_until)
    settled.update(leased_until=None)
