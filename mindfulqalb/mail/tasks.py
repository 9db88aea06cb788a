"""What workers do about mail without being asked."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from mindfulqalb.mail.bounces import read_bounces


@shared_task(name="mail.read_bounces", ignore_result=True)
def read(**_kwargs: object) -> None:
    """Read the reports of mails that did not arrive, where there is a mailbox for them."""
    if settings.BOUNCE_IMAP_URL:
        read_bounces(now=timezone.now())
