"""How long mails are kept."""

from __future__ import annotations

from mindfulqalb.mail.models import SentMail
from mindfulqalb.retention.removers import keep_whole

MAILS = keep_whole("mail", SentMail, since="sent_at", person="recipient_hash", about="about")
