"""What beat asks of bookings."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from bookings.services.holds import expire_holds
from bookings.services.unplaced import refund_unplaced


@shared_task(name="bookings.expire_holds")
def expire_holds_task(**kwargs: object) -> None:
    """Let overdue holds go."""
    expire_holds(now=timezone.now())


@shared_task(name="bookings.refund_unplaced")
def refund_unplaced_task(**kwargs: object) -> None:
    """Send back what could not be placed."""
    refund_unplaced(now=timezone.now())
