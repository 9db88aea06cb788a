"""What other mail servers report about our mails (RFC 3464), and what becomes of it here."""

from __future__ import annotations

import email
import email.policy
import logging
import re
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction

from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.outcomes import note_undelivered
from mindfulqalb.mail.postbox import unread_reports
from mindfulqalb.mail.states import MailState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from email.message import EmailMessage, Message

logger = logging.getLogger(__name__)

# Ours begin with the key of the mail, which nobody can guess who has not seen it.
OUR_MESSAGE_ID = re.compile(r"<([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})@", re.IGNORECASE)
PERMANENT = re.compile(r"5\.\d{1,3}\.\d{1,3}")


def read_bounces(*, now: datetime) -> int:
    """Read the reports in the mailbox that BOUNCE_IMAP_URL names; return how many mails will never arrive."""
    return sum(_read(raw, now) for raw in unread_reports(settings.BOUNCE_IMAP_URL))


def _read(raw: bytes, now: datetime) -> int:
    try:
        return record_bounce(raw=raw, now=now)
    except DatabaseError:
        raise  # it stays unread until the next time
    except Exception:
        # Anybody may send one: what cannot be read must not stand before all that come after it.
        logger.exception("A report of a mail that did not arrive cannot be read.")
        return 0


def record_bounce(*, raw: bytes, now: datetime) -> int:
    """Note on our mail what a report says of it; return how many mails are known as lost by it.

    A report is anybody's letter: it is believed when it names a mail of ours. Delays are no failures, and neither is
    any other mail: an answer from a holiday, or a client's own.
    """
    report = email.message_from_bytes(raw, policy=email.policy.default)
    status = _failure_in(report)
    if status is None:
        return 0
    with transaction.atomic():
        mail = SentMail.objects.select_for_update().filter(key__in=_keys_in(report), state=MailState.SENT).first()
        if mail is not None:
            note_undelivered(mail, MailState.BOUNCED, status=status, now=now)
    return int(mail is not None)


def _failure_in(report: EmailMessage) -> str | None:
    if report.get_content_type() != "multipart/report":
        return None
    return next(_permanent_statuses(report), None)


def _permanent_statuses(report: EmailMessage) -> Iterator[str]:
    for part in report.walk():
        if part.get_content_type() == "message/delivery-status":
            for block in _parts_of(part):
                status = PERMANENT.match(str(block.get("Status", "")).strip())
                if status and str(block.get("Action", "")).strip().lower() == "failed":
                    yield status[0]


def _keys_in(report: EmailMessage) -> list[UUID]:
    """Find the keys in the mail that the report returns; some servers only refer to it in their own headers."""
    headers = [report.get("In-Reply-To", ""), report.get("References", "")]
    headers += [original.get("Message-ID", "") for part in report.walk() for original in _originals(part)]
    return [UUID(key) for header in headers for key in OUR_MESSAGE_ID.findall(str(header))]


def _originals(part: Message) -> list[Message]:
    match part.get_content_type():
        case "message/rfc822":
            return _parts_of(part)
        case "text/rfc822-headers":
            headers = part.get_payload(decode=True)
            return [email.message_from_bytes(headers if isinstance(headers, bytes) else b"")]
        case _:
            return []


def _parts_of(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [each for each in payload if not isinstance(each, str)] if isinstance(payload, list) else []
