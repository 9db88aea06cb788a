"""What becomes of a mail."""

from __future__ import annotations

from django.db import models


class MailState(models.TextChoices):
    """How far a mail came, as far as we were told."""

    WAITING = "WAITING", "Waiting to go out again"
    SENT = "SENT", "Taken by the mail server"
    REFUSED = "REFUSED", "Refused by the mail server for good"
    BOUNCED = "BOUNCED", "Came back: never reached its reader"


# A refused mail goes when its outbox message is revived and the server has changed its mind.
ALLOWED = {
    MailState.WAITING: {MailState.SENT, MailState.REFUSED},
    MailState.REFUSED: {MailState.SENT, MailState.REFUSED},
    MailState.SENT: {MailState.BOUNCED},
    MailState.BOUNCED: set[MailState](),
}
LEFT_THE_HOUSE = (MailState.SENT, MailState.BOUNCED)
UNDELIVERED = (MailState.REFUSED, MailState.BOUNCED)
