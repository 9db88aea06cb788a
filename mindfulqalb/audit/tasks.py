"""What the beat asks of the audit trail."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from mindfulqalb.audit.checkpoints import take_checkpoint
from mindfulqalb.audit.sealing import seal_events


@shared_task(name="audit.seal", ignore_result=True)
def seal(**_kwargs: object) -> None:
    """Chain what was recorded since the last time."""
    seal_events(now=timezone.now())


@shared_task(name="audit.checkpoint", ignore_result=True)
def checkpoint(**_kwargs: object) -> None:
    """Sign the end of the chain, and send the word out."""
    take_checkpoint(now=timezone.now())
