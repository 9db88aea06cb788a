"""How long mails are kept."""

from __future__ import annotations

from mindfulqalb.mail.models import SentMail
from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import delete_rows
from mindfulqalb.retention.states import Action

MAILS = keep(
    Retained(
        kind="mail",
        model=SentMail,
        since="sent_at",
        person="recipient_hash",
        about="about",
        actions={Action.ERASE: delete_rows(SentMail)},
    )
)
