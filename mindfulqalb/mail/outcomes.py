"""Note what became of a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.audit.services import record
from mindfulqalb.mail.states import ALLOWED, MailState

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.mail.models import SentMail

ACTIONS = {MailState.REFUSED: "mail.refused", MailState.BOUNCED: "mail.bounced"}


class ImpossibleMove(Exception):
    """A mail was to move in a way that the table does not allow: a fault in our code."""


def note_sent(mail: SentMail, *, now: datetime) -> None:
    """Note that the mail server took it. Call it with the row locked, as the next."""
    _move(mail, MailState.SENT)
    mail.sent_at, mail.undelivered_at, mail.undelivered_status = now, None, ""
    mail.save(update_fields=["state", "sent_at", "undelivered_at", "undelivered_status"])


def note_undelivered(mail: SentMail, state: MailState, *, status: str, now: datetime) -> None:
    """Note that it will never reach its reader, on record."""
    _move(mail, state)
    mail.undelivered_at, mail.undelivered_status = now, status
    mail.save(update_fields=["state", "undelivered_at", "undelivered_status"])
    details = {"mail": str(mail.id), "status": status}
    record(action=ACTIONS[state], actor="vendor:mail", target=mail.about, now=now, details=details)


def _move(mail: SentMail, state: MailState) -> None:
    if state not in ALLOWED[MailState(mail.state)]:
        raise ImpossibleMove(f"mail {mail.id}: {mail.state} -> {state}")
    mail.state = state
