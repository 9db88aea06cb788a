"""What beat asks of the kept answers."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from mindfulqalb.idempotency.services import forget_old_answers


@shared_task(name="idempotency.forget")
def forget_old_answers_task(**kwargs: object) -> None:
    """Forget answers older than a day."""
    forget_old_answers(now=timezone.now())
