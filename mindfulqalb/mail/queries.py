"""Mails that somebody waits for in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.states import UNDELIVERED, MailState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet


def undelivered_about(subjects: Iterable[str]) -> QuerySet[SentMail]:
    """Find the mails about `kind:<id>` that never arrived, newest first, less those that went well the second time."""
    return undelivered().filter(about__in=subjects).defer("content").order_by("-sent_at")


def undelivered() -> QuerySet[SentMail]:
    """Find the mails that never arrived, less those that went well the second time."""
    sent_again = SentMail.objects.filter(copy_of__isnull=False, state=MailState.SENT).values("copy_of")
    return SentMail.objects.filter(state__in=UNDELIVERED).exclude(id__in=sent_again)
