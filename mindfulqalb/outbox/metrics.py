"""How far behind the outbox is, in numbers for a monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis
from django.conf import settings

from mindfulqalb.observability.metrics import gauge
from mindfulqalb.outbox.queries import backlog

if TYPE_CHECKING:
    from datetime import datetime


@gauge("outbox_overdue_seconds", "How long the outbox message that waits longest has been due.")
def overdue_seconds(now: datetime) -> float:
    """Read it off the backlog."""
    return backlog(now=now).oldest.total_seconds()


@gauge("outbox_messages", "Outbox messages that are due and not delivered, and those that died.", label="state")
def messages(now: datetime) -> dict[str, float]:
    """Read both off the backlog."""
    behind = backlog(now=now)
    return {"overdue": behind.overdue, "dead": behind.dead}


@gauge("celery_queue_messages", "Hints that wait for a worker.")
def queued_hints(now: datetime) -> float:
    """Ask the broker how long Celery's queue is."""
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
        return float(client.llen("celery"))
