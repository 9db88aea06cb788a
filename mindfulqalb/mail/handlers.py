"""What the outbox brings to mail."""

from __future__ import annotations

from uuid import UUID

from mindfulqalb.mail.resending import send_copy
from mindfulqalb.outbox.registry import Delivery, handles


@handles("email.copy")
def send_once_more(delivery: Delivery) -> None:
    """Send the copy that staff asked for."""
    send_copy(mail_id=UUID(delivery.payload["mail_id"]), now=delivery.now)
