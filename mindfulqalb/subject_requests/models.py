"""The register of what persons ask about their own data."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from mindfulqalb.encryption.fields import EncryptedTextField
from mindfulqalb.subject_requests.states import Outcome, RequestKind, Verification


class SubjectRequest(models.Model):
    """One request: who asked what and when, until when it is due, how we know that it was them, and how it ended."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=RequestKind)
    email = EncryptedTextField(label="subject_requests.email", db_column="email_encrypted")
    email_hash = models.CharField(max_length=64, help_text="Blind index of the normalized email.")
    wish = EncryptedTextField(label="subject_requests.wish", db_column="wish_encrypted")
    person_name = EncryptedTextField(
        label="subject_requests.person_name",
        db_column="person_name_encrypted",
        null=True,
        help_text="As it should be; of a nomination, who is named.",
    )
    person_email = EncryptedTextField(
        label="subject_requests.person_email", db_column="person_email_encrypted", null=True
    )
    person_phone = EncryptedTextField(
        label="subject_requests.person_phone", db_column="person_phone_encrypted", null=True
    )
    person_phone_hash = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Blind index of that phone in E.164; empty without one, or until `index_phones` has come by.",
    )
    received_at = models.DateTimeField()
    due_at = models.DateTimeField()
    verification = models.CharField(max_length=20, choices=Verification, blank=True)
    verified_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    closed_at = models.DateTimeField(null=True)

    phone_columns: ClassVar = {"person_phone": "person_phone_hash"}

    class Meta:
        db_table = "subject_requests"
        permissions: ClassVar = [("gather_held", "Can gather everything that is held on a person")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(outcome="", closed_at=None) | ~Q(outcome="") & Q(closed_at__isnull=False),
                name="subject_request_closed_with_outcome",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["email_hash"], name="subject_request_person"),
            models.Index(fields=["person_phone_hash"], name="subject_request_phone"),
            models.Index(fields=["due_at"], condition=Q(closed_at=None), name="subject_request_due"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, received {self.received_at:%Y-%m-%d}"
