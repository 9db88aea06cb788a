"""What the outbox brings to retention."""

from __future__ import annotations

from datetime import date

from mindfulqalb.outbox.registry import Delivery, handles
from mindfulqalb.retention.copies import TOPIC, store_copy


@handles(TOPIC)
def store_tombstones(delivery: Delivery) -> None:
    """Put a day's tombstones where another system keeps them."""
    store_copy(day=date.fromisoformat(delivery.payload["day"]))
