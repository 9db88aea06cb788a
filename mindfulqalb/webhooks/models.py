"""What vendors told us, word for word and encrypted."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from mindfulqalb.encryption.fields import EncryptedTextField


class WebhookDelivery(models.Model):
    """One event of one vendor. It is a hint: whoever works on it asks the vendor for the truth."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    vendor = models.CharField(max_length=20)
    event_id = models.CharField(max_length=255, help_text="The vendor's, else the SHA-256 of the body.")
    event_type = models.CharField(max_length=100)
    body = EncryptedTextField(label="webhooks.body", db_column="body_encrypted")
    body_digest = models.CharField(max_length=64, help_text="SHA-256 of the body as received.")
    about = models.CharField(max_length=100, blank=True, default="", help_text="kind:<id>, once that is known.")
    received_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "webhook_deliveries"
        permissions: ClassVar = [("reprocess_webhookdelivery", "Can have a delivery worked on again")]
        verbose_name_plural = "webhook deliveries"
        constraints: ClassVar = [models.UniqueConstraint(fields=["vendor", "event_id"], name="webhook_event_once")]
        indexes: ClassVar = [
            models.Index(fields=["received_at"], name="webhook_received"),
            models.Index(fields=["vendor", "received_at"], name="webhook_vendor"),
            models.Index(fields=["event_type", "received_at"], name="webhook_event_type"),
            models.Index(fields=["event_id"], name="webhook_event"),
            models.Index(fields=["about"], name="webhook_about"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.event_type} {self.event_id}"
