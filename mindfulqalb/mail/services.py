"""Send a mail from a template, and keep it as sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from mindfulqalb.catalogue.practice import practice_details
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.outcomes import note_sent, note_undelivered
from mindfulqalb.mail.sending import MailRefused, hand_over, own_headers
from mindfulqalb.mail.states import MailState

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True)
class Attachment:
    """A file to go with a mail."""

    filename: str
    content: str | bytes
    media_type: str


@dataclass(frozen=True)
class Letter:
    """What to say to whom: `template` names three files in `templates/emails/`."""

    template: str
    recipient: str
    context: dict[str, Any]
    about: str
    attachments: tuple[Attachment, ...] = ()
    locale: str = "en"
    headers: dict[str, str] = field(default_factory=dict)


def send_letter(*, letter: Letter, key: UUID, now: datetime) -> None:
    """Hand a letter to the mail server, once per `key`, and keep it.

    SMTP knows no idempotency: when we die between the server's yes and our note of it, the letter goes twice, with one
    Message-ID. Raises ProviderError; permanent when the server refuses the address for good, which is noted too.
    """
    if SentMail.objects.filter(key=key).exclude(state=MailState.REFUSED).exists():
        return
    message = _compose(letter, key, now)
    try:
        hand_over(message)
    except MailRefused as refused:
        with transaction.atomic():
            mail = _kept(letter, message, key, now)
            note_undelivered(mail, MailState.REFUSED, status=refused.status, now=now)
        raise
    with transaction.atomic():
        note_sent(_kept(letter, message, key, now), now=now)


def _kept(letter: Letter, message: EmailMultiAlternatives, key: UUID, now: datetime) -> SentMail:
    """Return the letter's row, locked, with what it says this time."""
    said = {"recipient_hash": email_digest(letter.recipient), "content": message.message().as_string()}
    named = {"template": letter.template, "about": letter.about, "sent_at": now, "state": MailState.WAITING}
    mail, _ = SentMail.objects.select_for_update().update_or_create(
        key=key, defaults=said, create_defaults=said | named
    )
    return mail


def _compose(letter: Letter, key: UUID, now: datetime) -> EmailMultiAlternatives:
    context = practice_details() | letter.context
    with translation.override(letter.locale):
        subject, text, html = (
            render_to_string(f"emails/{letter.template}.{part}", context) for part in ("subject.txt", "txt", "html")
        )
    headers = own_headers(key, now) | letter.headers
    message = EmailMultiAlternatives(subject.strip(), text, to=[letter.recipient], headers=headers)
    message.attach_alternative(html, "text/html")
    for attachment in letter.attachments:
        message.attach(attachment.filename, attachment.content, attachment.media_type)
    return message
