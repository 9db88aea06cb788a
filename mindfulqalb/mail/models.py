"""Mails as they were sent, encrypted."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from mindfulqalb.encryption.fields import EncryptedTextField
from mindfulqalb.mail.states import UNDELIVERED, MailState


class SentMail(models.Model):
    """A mail that was handed to the mail server, or is about to go once more; `state` says what came of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.UUIDField(unique=True, help_text="The outbox message that sent it: a repeated one sends nothing.")
    template = models.CharField(max_length=50)
    about = models.CharField(max_length=100, help_text="kind:<id>")
    recipient_hash = models.CharField(max_length=64)
    content = EncryptedTextField(label="mail.content", db_column="content_encrypted")
    sent_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=MailState, default=MailState.SENT, db_default=MailState.SENT, editable=False
    )
    undelivered_at = models.DateTimeField(null=True, blank=True, help_text="When we were told.")
    undelivered_status = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="SMTP's code, or RFC 3463's: 5.1.1 is no such mailbox.",
    )
    copy_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="copies")

    class Meta:
        db_table = "sent_mails"
        permissions: ClassVar = [("resend_sentmail", "Can send a mail once more")]
        indexes: ClassVar = [
            models.Index(fields=["about", "sent_at"], name="mail_about"),
            models.Index(fields=["recipient_hash"], name="mail_recipient"),
            models.Index(fields=["sent_at"], name="mail_sent"),
            models.Index(fields=["template", "sent_at"], name="mail_template"),
            models.Index(fields=["sent_at"], name="mail_undelivered", condition=models.Q(state__in=UNDELIVERED)),
        ]

    def __str__(self) -> str:
        return f"{self.template} about {self.about} at {self.sent_at:%Y-%m-%d %H:%M}"
