"""What the outbox brings to the audit trail."""

from __future__ import annotations

from django.conf import settings

from mindfulqalb.audit.checkpoints import certificate_text, copy_name, store_copy
from mindfulqalb.audit.models import AuditCheckpoint
from mindfulqalb.mail.services import Attachment, Letter, send_letter
from mindfulqalb.outbox.registry import Delivery, handles


@handles("audit.checkpoint_stored")
def store_checkpoint(delivery: Delivery) -> None:
    """Put a checkpoint where another system keeps it."""
    store_copy(number=delivery.payload["number"])


@handles("audit.checkpoint_mailed")
def mail_checkpoint(delivery: Delivery) -> None:
    """Mail a checkpoint to whoever will check us."""
    checkpoint = AuditCheckpoint.objects.get(number=delivery.payload["number"])
    letter = Letter(
        template="checkpoint",
        recipient=settings.AUDIT_CHECKPOINT_EMAIL,
        context={"checkpoint": checkpoint, "site_url": settings.SITE_URL},
        about=f"checkpoint:{checkpoint.number}",
        attachments=(Attachment(copy_name(checkpoint), certificate_text(checkpoint), "application/json"),),
    )
    send_letter(letter=letter, key=delivery.message_id, now=delivery.now)
