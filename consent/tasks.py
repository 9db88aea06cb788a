"""What beat asks of consent."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from consent.withdrawal import note_expiries


@shared_task(name="consent.note_expiries")
def note_expiries_task(**kwargs: object) -> None:
    """Write down which consents have expired."""
    note_expiries(now=timezone.now())
