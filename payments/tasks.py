"""What beat asks of payments."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from payments.reconciliation import recent_captures, refresh_disputes, refresh_payments, suspicious_payments


@shared_task(name="payments.reconcile")
def reconcile_task(**kwargs: object) -> None:
    """Ask for the money, and for the disputes, that no webhook told us of."""
    now = timezone.now()
    for _ in refresh_payments(suspicious_payments(now=now), now=now):
        pass
    for _ in refresh_disputes(now=now):
        pass


@shared_task(name="payments.compare_books")
def compare_books_task(**kwargs: object) -> None:
    """Ask again about all recent money, for what was done by hand at the gateways and never told."""
    now = timezone.now()
    for _ in refresh_payments(recent_captures(now=now), now=now):
        pass
