"""Consent: the documents that were shown, and who accepted them."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import Q

from consent.states import (
    CLOSING,
    GIVING,
    AgeBand,
    ConsentEvent,
    ConsentMethod,
    DocumentKind,
    DocumentState,
    GuardianRelation,
)
from mindfulqalb.audit.evidence import evidence, guarded
from mindfulqalb.encryption.fields import EncryptedTextField


@guarded(condition="((old.published_at IS NOT NULL))")
class ConsentDocument(models.Model):
    """A text that clients are asked to accept: a draft until it is published, and from then on what it is.

    A translation is a row of the same kind and version; a correction is a new version.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30, choices=DocumentKind, default=DocumentKind.INFORMED_CONSENT)
    version = models.CharField(max_length=20, help_text="The day it was written, such as 2026-11-30.")
    locale = models.CharField(max_length=10, default="en", help_text="en first; its translations follow.")
    title = models.CharField(max_length=200)
    text = models.TextField(help_text="Plain text; a blank line ends a paragraph, '# ' starts a heading.")
    acknowledgments = models.JSONField(
        default=list, blank=True, help_text='What must be ticked: [{"id": "item1", "label": "..."}]'
    )
    sha256 = models.CharField(max_length=64, editable=False, blank=True)
    published_at = models.DateTimeField(null=True, editable=False, help_text="Empty: a draft.")

    class Meta:
        db_table = "consent_documents"
        permissions: ClassVar = [("publish_consentdocument", "Can publish a document for good")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "version", "locale"], name="consent_document_version"),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True) | ~Q(sha256=""), name="consent_document_published_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version} ({self.locale})"

    @property
    def required_ids(self) -> list[str]:
        """The ids of the points that must be ticked."""
        return [item["id"] for item in self.acknowledgments]

    @property
    def is_draft(self) -> bool:
        """Whether it may still change."""
        return self.published_at is None

    def state_beside(self, newest: ConsentDocument | None) -> DocumentState:
        """Derive its state, given the newest published document of its kind."""
        if self.published_at is None:
            return DocumentState.DRAFT
        return DocumentState.PUBLISHED if newest and newest.version == self.version else DocumentState.RETIRED


@evidence("consent")
class ConsentRecord(models.Model):
    """One act of consent: given or renewed, and what closed such a row. Append-only; state is derived.

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

    event = models.CharField(max_length=20, choices=ConsentEvent, default=ConsentEvent.GIVEN)
    kind = models.CharField(max_length=30, choices=DocumentKind, default=DocumentKind.INFORMED_CONSENT)
    # Rows point at each other without a foreign key's constraint: the older one is purged first.
    refers_to = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="later_acts",
        help_text="The row that this one renews or closes.",
    )
    part_of = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="parts",
        help_text="The minor's consent to which this guardian's consent or assent belongs.",
    )
    document = models.ForeignKey(ConsentDocument, on_delete=models.PROTECT, null=True, related_name="records")
    document_sha256 = models.CharField(max_length=64, blank=True)
    notice = models.ForeignKey(
        ConsentDocument,
        on_delete=models.PROTECT,
        null=True,
        related_name="noticed_by",
        help_text="The privacy notice that was shown with it.",
    )
    notice_sha256 = models.CharField(max_length=64, blank=True)
    is_flagged = models.BooleanField(default=False, help_text="The version was not one that we had published.")
    locale = models.CharField(max_length=10, default="en")
    method = models.CharField(max_length=20, choices=ConsentMethod)
    control_label = models.CharField(max_length=200, blank=True, help_text="What the pressed button said.")
    actor = models.CharField(max_length=100, default="client", help_text="client, system or staff:<id>")
    reference = models.CharField(max_length=100, blank=True, help_text="What it was about: kind:<id or code>.")
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
    age_band = models.CharField(max_length=20, choices=AgeBand, blank=True, help_text="As the client said.")
    guardian_name = EncryptedTextField(label="consent.guardian_name", db_column="guardian_name_encrypted", null=True)
    guardian_email = EncryptedTextField(label="consent.guardian_email", db_column="guardian_email_encrypted", null=True)
    guardian_relation = models.CharField(max_length=20, choices=GuardianRelation, blank=True)

    class Meta:
        db_table = "consent_records"
        permissions: ClassVar = [("reveal_consentrecord", "Can see who gave consent, with a reason")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["refers_to", "event"], condition=Q(event__in=CLOSING), name="consent_closed_once"
            ),
            models.CheckConstraint(
                condition=Q(event__in=GIVING) | Q(refers_to__isnull=False), name="consent_closes_something"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["email_hash", "session_type", "-created_at"], name="consent_newest"),
            models.Index(fields=["expires_at"], name="consent_expires"),
            models.Index(fields=["created_at", "id"], name="consent_created"),
            # One for each filter of the admin's list.
            models.Index(fields=["event", "created_at"], name="consent_event"),
            models.Index(fields=["kind", "created_at"], name="consent_kind"),
            models.Index(fields=["consent_version", "created_at"], name="consent_version"),
            models.Index(fields=["session_type", "created_at"], name="consent_session_type"),
            models.Index(fields=["age_band", "created_at"], name="consent_age_band"),
            models.Index(fields=["method", "created_at"], name="consent_method"),
            models.Index(fields=["created_at"], condition=Q(is_flagged=True), name="consent_flagged"),
            models.Index(fields=["valid_until"], condition=Q(event__in=GIVING), name="consent_valid_until"),
        ]

    def __str__(self) -> str:
        return f"{self.session_type} {self.consent_version} {self.id}"
