"""What the beat asks of the audit trail."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from mindfulqalb.audit.checkpoints import take_checkpoint
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.audit.verification import verify_now

logger = logging.getLogger(__name__)


@shared_task(name="audit.seal", ignore_result=True)
def seal(**_kwargs: object) -> None:
    """Chain what was recorded since the last time."""
    seal_events(now=timezone.now())


@shared_task(name="audit.checkpoint", ignore_result=True)
def checkpoint(**_kwargs: object) -> None:
    """Sign the end of the chain, and send the word out."""
    take_checkpoint(now=timezone.now())


@shared_task(name="audit.verify", ignore_result=True, time_limit=3600)
def verify(**_kwargs: object) -> None:
    """Look through the whole trail, and raise the alarm when something does not fit."""
    verification = verify_now(clock=timezone.now)
    if verification.finding_count:
        logger.error("the audit trail does not verify: %s findings, see the admin", verification.finding_count)
