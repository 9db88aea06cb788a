"""Consent: the documents that were shown, and who accepted them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models

from mindfulqalb.audit.evidence import evidence
from mindfulqalb.encryption.fields import EncryptedTextField

if TYPE_CHECKING:
    from datetime import datetime


class DocumentKind(models.TextChoices):
    """What a document is about."""

    INFORMED_CONSENT = "informed_consent", "Informed consent"


class ConsentDocument(models.Model):
    """A text that clients are asked to accept. Once published it never changes: a correction is a new version."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30, choices=DocumentKind, default=DocumentKind.INFORMED_CONSENT)
    version = models.CharField(max_length=20)
    locale = models.CharField(max_length=10, default="en")
    title = models.CharField(max_length=200)
    text = models.TextField(help_text="Plain text; a blank line ends a paragraph, '# ' starts a heading.")
    acknowledgments = models.JSONField(help_text='What must be ticked: [{"id": "item1", "label": "..."}]')
    sha256 = models.CharField(max_length=64, editable=False)
    published_at = models.DateTimeField()

    class Meta:
        db_table = "consent_documents"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "version", "locale"], name="consent_document_version")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} ({self.locale})"


class ConsentMethod(models.TextChoices):
    """How it was given."""

    CHECKBOX = "checkbox", "Ticked each point"
    BOOKING = "booking", "Accepted with the booking"


@evidence("consent")
class ConsentRecord(models.Model):
    """That somebody agreed to a document; append-only, and state is derived from rows and time.

    The first nine columns are the specification's, by name, type, nullability and default.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    session_type = models.CharField(max_length=50)
    email_hash = models.CharField(max_length=64, help_text="Blind index of the normalized email.")
    consent_version = models.CharField(max_length=20)
    acknowledgments = models.JSONField()
    ip_address = models.CharField(  # noqa: DJ001  (the specification's column is nullable)
        max_length=45, null=True, help_text="Shortened to /24 or /48; the whole stands encrypted beside it."
    )
    user_agent = models.TextField(null=True)  # noqa: DJ001
    created_at = models.DateTimeField(null=True, db_default=TransactionNow(), editable=False)
    expires_at = models.DateTimeField(help_text="When the evidence may be purged.")

    document = models.ForeignKey(ConsentDocument, on_delete=models.PROTECT, null=True, related_name="records")
    document_sha256 = models.CharField(max_length=64, blank=True)
    is_flagged = models.BooleanField(default=False, help_text="The version was not one that we had published.")
    locale = models.CharField(max_length=10, default="en")
    method = models.CharField(max_length=20, choices=ConsentMethod)
    email = EncryptedTextField(label="consent.email", db_column="email_encrypted")
    full_ip_address = EncryptedTextField(
        label="consent.full_ip_address", db_column="full_ip_address_encrypted", null=True
    )
    ip_address_source = models.CharField(max_length=50, help_text="How the address was derived behind proxies.")
    claimed_ip_address = EncryptedTextField(
        label="consent.claimed_ip_address", db_column="claimed_ip_address_encrypted", null=True
    )
    request_id = models.CharField(max_length=64, blank=True)
    valid_until = models.DateTimeField(help_text="Until when it covers new bookings.")

    class Meta:
        db_table = "consent_records"
        indexes: ClassVar = [
            models.Index(fields=["email_hash", "session_type", "-created_at"], name="consent_newest"),
            models.Index(fields=["expires_at"], name="consent_expires"),
        ]

    def __str__(self) -> str:
        return f"{self.session_type} {self.consent_version} {self.id}"

    def is_valid_at(self, now: datetime) -> bool:
        """Whether it covers a booking made at `now`."""
        return now < self.valid_until
