"""What the outbox brings to actions over many rows."""

from __future__ import annotations

from uuid import UUID

from mindfulqalb.bulk_actions.services import TOPIC, give_up
from mindfulqalb.bulk_actions.working import work_on
from mindfulqalb.outbox.registry import Delivery, handles, on_dead

# The pauses between them add up to more than a minute.
LAST_TRY = 5


@handles(TOPIC)
def work(delivery: Delivery) -> None:
    """Work on what is left."""
    work_on(bulk_action_id=_id(delivery), is_last_try=delivery.attempts >= LAST_TRY, now=delivery.now)


@on_dead(TOPIC)
def end(delivery: Delivery) -> None:
    """Say of what is left that nobody did it."""
    give_up(bulk_action_id=_id(delivery), now=delivery.now)


def _id(delivery: Delivery) -> UUID:
    return UUID(delivery.payload["bulk_action_id"])
