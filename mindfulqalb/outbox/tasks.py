"""What workers are told to do. A task may be lost or come twice: the row is the truth, and not the task."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from mindfulqalb.outbox.delivery import deliver_due, deliver_message

SWEEP_LIMIT = 200


@shared_task(name="outbox.deliver", acks_late=False, ignore_result=True)
def deliver(*, message_id: str, due_at: str | None = None, **_kwargs: object) -> None:
    """Deliver one message, and what waits for it; a clock that lags behind the sender's does not make it early."""
    now = timezone.now()
    sent_at = datetime.fromisoformat(due_at) if due_at else now
    deliver_message(message_id=UUID(message_id), now=max(now, sent_at))


@shared_task(name="outbox.sweep", acks_late=False, ignore_result=True)
def sweep(**_kwargs: object) -> None:
    """Deliver whatever is due."""
    deliver_due(now=timezone.now(), limit=SWEEP_LIMIT)
