"""Send a kept mail once more: the same words, to the same or a corrected address, which is corrected for good."""

from __future__ import annotations

import email
import email.policy
from typing import TYPE_CHECKING
from uuid import uuid4

from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from rest_framework.exceptions import ValidationError

from mindfulqalb.api.errors import Refusal
from mindfulqalb.api.fields import EmailAddress
from mindfulqalb.audit.services import record, required_reason
from mindfulqalb.encryption.blind_index import email_digest, email_digests
from mindfulqalb.mail.corrections import Correction, correct_address
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.outcomes import note_sent, note_undelivered
from mindfulqalb.mail.sending import MailRefused, hand_over, own_headers
from mindfulqalb.mail.states import MailState
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage
    from uuid import UUID

    from mindfulqalb.mail.corrections import Rewrite

# Made anew for the copy, by Django or by us.
RENEWED = {"content-type", "content-transfer-encoding", "mime-version", "subject", "from", "to", "message-id", "date"}


class AlreadyOnItsWay(Refusal):
    """A second click: the copy has not gone out yet."""

    code = "mail_on_its_way"
    status = 409
    sentence = "It is being sent again already."


class NoSuchAddress(Refusal):
    """A corrected address that is none."""

    code = "invalid_address"
    status = 400
    sentence = "This is not an email address."


class AddressStays(Refusal):
    """Another address for a mail that is of no client's booking, or not of the address that the booking has."""

    code = "address_stays"
    status = 409
    sentence = "This mail goes to its first reader alone: it is of no session whose client could have another address."


@transaction.atomic
def resend_letter(*, mail_id: UUID, actor: str, now: datetime, recipient: str = "", reason: str = "") -> SentMail:
    """Ask for a copy of a mail to its reader, or to `recipient` in their stead; return the copy that will go.

    Another address is taken only with a reason and where it corrects what is kept. Raises AlreadyOnItsWay,
    NoSuchAddress, ReasonRequired, AddressStays, and what a corrector raises.
    """
    mail = SentMail.objects.select_for_update().get(id=mail_id)
    if mail.state == MailState.WAITING or mail.copies.filter(state=MailState.WAITING).exists():
        raise AlreadyOnItsWay
    copy_id = uuid4()
    message = enqueue(topic="email.copy", lane=f"mail:{copy_id}", payload={"mail_id": str(copy_id)}, now=now)
    corrected = _checked(recipient)
    is_corrected = bool(corrected) and mail.recipient_hash not in email_digests(corrected)
    rewrite = _corrected(mail, corrected, actor, reason, now) if is_corrected else str
    renewed = _rebuilt(mail.content, rewrite)
    renewed.extra_headers |= own_headers(message.id, now)
    copy = SentMail.objects.create(
        id=copy_id,
        key=message.id,
        copy_of=mail,
        state=MailState.WAITING,
        sent_at=now,
        **_said(mail, renewed, corrected),
    )
    details = {"mail": str(mail.id), "copy": str(copy.id), "corrected": copy.recipient_hash != mail.recipient_hash}
    record(action="mail.resent", actor=actor, target=mail.about, now=now, details=details, reason=reason.strip())
    return copy


def send_copy(*, mail_id: UUID, now: datetime) -> None:
    """Hand a copy to the mail server, once. Raises ProviderError as `send_letter` does."""
    copy = SentMail.objects.get(id=mail_id)
    if copy.state not in {MailState.WAITING, MailState.REFUSED}:
        return
    try:
        hand_over(_rebuilt(copy.content))
    except MailRefused as refused:
        with transaction.atomic():
            locked = SentMail.objects.select_for_update().get(id=mail_id)
            note_undelivered(locked, MailState.REFUSED, status=refused.status, now=now)
        raise
    with transaction.atomic():
        note_sent(SentMail.objects.select_for_update().get(id=mail_id), now=now)


def _corrected(mail: SentMail, recipient: str, actor: str, reason: str, now: datetime) -> Rewrite:
    why = required_reason(reason)
    rewrite = correct_address(Correction(mail.id, mail.about, mail.recipient_hash, recipient, actor, why, now))
    if rewrite is None:
        raise AddressStays
    return rewrite


def _checked(recipient: str) -> str:
    try:
        return EmailAddress().run_validation(recipient) if recipient else ""
    except ValidationError:
        raise NoSuchAddress from None


def _said(mail: SentMail, message: EmailMultiAlternatives, recipient: str) -> dict[str, str]:
    """What a copy says, of what, and to whom."""
    if recipient:
        message.to = [recipient]
    return {
        "template": mail.template,
        "about": mail.about,
        "recipient_hash": email_digest(recipient) if recipient else mail.recipient_hash,
        "content": message.message().as_string(),
    }


def _rebuilt(content: str, rewrite: Rewrite = str) -> EmailMultiAlternatives:
    kept = email.message_from_bytes(content.encode(), policy=email.policy.default)
    headers = {name: rewrite(str(value)) for name, value in kept.items() if name.lower() not in RENEWED}
    headers |= {name: str(kept[name]) for name in ("Message-ID", "Date")}
    # A long one in another script begins on the next line, with a space that would grow with every copy.
    subject = str(kept["Subject"]).strip()
    text, html = rewrite(_text(kept, "plain")), rewrite(_text(kept, "html"))
    message = EmailMultiAlternatives(subject, text, to=[str(kept["To"])], headers=headers)
    message.attach_alternative(html, "text/html")
    for part in kept.iter_attachments():
        message.attach(part.get_filename(), part.get_content(), _media_type(part))
    return message


def _text(kept: EmailMessage, kind: str) -> str:
    body = kept.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body else ""


def _media_type(part: EmailMessage) -> str:
    method = part.get_param("method")
    return f"{part.get_content_type()}; method={method}" if method else part.get_content_type()
