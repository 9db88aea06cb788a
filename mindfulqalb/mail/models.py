"""Mails as they were sent, encrypted."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from mindfulqalb.encryption.fields import EncryptedTextField


class SentMail(models.Model):
    """A mail that the mail server took from us."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.UUIDField(unique=True, help_text="The outbox message that sent it: a repeated one sends nothing.")
    template = models.CharField(max_length=50)
    about = models.CharField(max_length=100, help_text="kind:<id>")
    recipient_hash = models.CharField(max_length=64)
    content = EncryptedTextField(label="mail.content", db_column="content_encrypted")
    sent_at = models.DateTimeField()

    class Meta:
        db_table = "sent_mails"
        indexes: ClassVar = [
            models.Index(fields=["about", "sent_at"], name="mail_about"),
            models.Index(fields=["recipient_hash"], name="mail_recipient"),
            models.Index(fields=["sent_at"], name="mail_sent"),
        ]

    def __str__(self) -> str:
        return f"{self.template} about {self.about} at {self.sent_at:%Y-%m-%d %H:%M}"
