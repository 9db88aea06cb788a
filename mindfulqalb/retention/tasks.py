"""What beat asks of retention."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from mindfulqalb.retention.purging import purge_expired


@shared_task(name="retention.purge", ignore_result=True, time_limit=3600)
def purge(**_kwargs: object) -> None:
    """Take away what is kept no longer; cut off by its limit, it goes on tomorrow."""
    for _ in purge_expired(now=timezone.now()):
        pass
