"""Send a mail from a template, and keep it as sent."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass, field
from email.utils import formatdate, parseaddr
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from mindfulqalb.catalogue.practice import practice_details
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.mail.models import SentMail
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


# RFC 5321: 4xx may pass, 5xx stays. In answer to the mail itself 550 and up are about this mailbox, and not about us;
# whatever a server refuses before it knows for whom the mail is, is about us.
REFUSED_FOR_GOOD = 500
MAILBOX_REFUSED = 550


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
    """Hand a letter to the mail server, once per `key`.

    SMTP knows no idempotency: when we die between the server's yes and our note of it, the letter goes twice, with one
    Message-ID. Raises ProviderError; permanent when the server refuses the address for good.
    """
    if SentMail.objects.filter(key=key).exists():
        return
    message = _compose(letter, key, now)
    _hand_over(message)
    SentMail.objects.create(
        key=key,
        template=letter.template,
        about=letter.about,
        recipient_hash=email_digest(letter.recipient),
        content=message.message().as_string(),
        sent_at=now,
    )


def _compose(letter: Letter, key: UUID, now: datetime) -> EmailMultiAlternatives:
    context = practice_details() | letter.context
    with translation.override(letter.locale):
        subject, text, html = (
            render_to_string(f"emails/{letter.template}.{part}", context) for part in ("subject.txt", "txt", "html")
        )
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    # Both would be made anew for the copy that we keep.
    headers = {"Message-ID": f"<{key}@{domain}>", "Date": formatdate(now.timestamp())} | letter.headers
    message = EmailMultiAlternatives(subject.strip(), text, to=[letter.recipient], headers=headers)
    message.attach_alternative(html, "text/html")
    for attachment in letter.attachments:
        message.attach(attachment.filename, attachment.content, attachment.media_type)
    return message


def _hand_over(message: EmailMultiAlternatives) -> None:
    if not message.recipients():
        raise ProviderError("letter without recipient", permanent=True)
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise ProviderError(
            f"mail server refused the address: {codes}", permanent=min(codes) >= REFUSED_FOR_GOOD
        ) from None
    except smtplib.SMTPResponseException as error:
        is_permanent = isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= MAILBOX_REFUSED
        raise ProviderError(f"mail server answered {error.smtp_code}", permanent=is_permanent) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ProviderError(f"mail server could not be reached: {type(error).__name__}", permanent=False) from None
