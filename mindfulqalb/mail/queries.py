"""Mails that somebody waits for in vain."""

from __future__ import annotations

import email
import email.policy
from typing import TYPE_CHECKING

from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.states import UNDELIVERED, MailState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

# It goes where the client was not to be found: that it comes back is no news.
EXPECTED_BACK = ("address_corrected",)


def undelivered_about(subjects: Iterable[str]) -> QuerySet[SentMail]:
    """Find the mails about `kind:<id>` that never arrived, newest first, less those that went well the second time."""
    return undelivered().filter(about__in=subjects).defer("content").order_by("-sent_at")


def undelivered() -> QuerySet[SentMail]:
    """Find the mails that never arrived, less those that went well the second time."""
    sent_again = SentMail.objects.filter(copy_of__isnull=False, state=MailState.SENT).values("copy_of")
    lost = SentMail.objects.filter(state__in=UNDELIVERED).exclude(template__in=EXPECTED_BACK)
    return lost.exclude(id__in=sent_again)


def reader_of(mail: SentMail) -> str:
    """Say to which address a mail was handed over."""
    return str(email.message_from_string(mail.content, policy=email.policy.default)["To"])
