"""What beat asks of payments."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from payments.reconciliation import refresh_payments, suspicious_payments


@shared_task(name="payments.reconcile")
def reconcile_task(**kwargs: object) -> None:
    """Ask for the money that no webhook told us of."""
    now = timezone.now()
    for _ in refresh_payments(suspicious_payments(now=now), now=now):
        pass
