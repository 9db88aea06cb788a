"""Have the books of the day before sent to whoever keeps them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from bookings.practice_time import local
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime


def request_daily_report(*, now: datetime) -> bool:
    """Ask for the mail about yesterday, once a day; False when it was asked for, or nobody is to have it."""
    day = local(now).date() - timedelta(days=1)
    lane = f"ledger:{day}"
    if not settings.FINANCE_EMAIL or OutboxMessage.objects.filter(lane=lane).exists():
        return False
    with transaction.atomic():
        enqueue(topic="email.ledger", lane=lane, payload={"day": day.isoformat()}, now=now)
    return True
