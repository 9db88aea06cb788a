"""What beat asks of staff accounts."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from mindfulqalb.staff.tokens import forget_old_refresh_tokens


@shared_task(name="staff.forget_refresh_tokens")
def forget_refresh_tokens_task(**kwargs: object) -> None:
    """Delete refresh tokens that have expired."""
    forget_old_refresh_tokens(now=timezone.now())
