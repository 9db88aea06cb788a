"""The timetable, what stands in its way, and what a purge leaves behind."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from mindfulqalb.audit.evidence import evidence
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.encryption.fields import EncryptedTextField
from mindfulqalb.retention.states import Action


class RetentionRule(models.Model):
    """How long one kind of record is kept in one jurisdiction, and how it goes then."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30)
    jurisdiction = models.CharField(max_length=2, help_text="IN, EU or US.")
    minimum_days = models.PositiveIntegerField(help_text="The law's: no request for erasure shortens it.")
    period_days = models.PositiveIntegerField(help_text="Ours: after it the record goes.")
    action = models.CharField(max_length=20, choices=Action)
    basis = models.CharField(max_length=200, help_text="Which law, or which purpose.")

    class Meta:
        db_table = "retention_rules"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "jurisdiction"], name="retention_rule_once"),
            models.CheckConstraint(condition=Q(period_days__gte=F("minimum_days")), name="retention_period_lawful"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}/{self.jurisdiction}"


class LegalHold(models.Model):
    """Something must not go, whatever the timetable says: all about a person, or all about one booking."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person_hash = models.CharField(max_length=64, blank=True, help_text="Blind index of the person's email.")
    email = EncryptedTextField(
        label="legal_holds.email", db_column="email_encrypted", null=True, help_text="Until it is released."
    )
    target = models.CharField(max_length=100, blank=True, help_text="booking:<id>")
    reason = EncryptedTextField(label="legal_holds.reason", db_column="reason_encrypted")
    placed_at = models.DateTimeField()
    placed_by = models.CharField(max_length=100)
    released_at = models.DateTimeField(null=True)
    released_by = models.CharField(max_length=100, blank=True)

    class Meta:
        db_table = "legal_holds"
        permissions: ClassVar = [("release_legalhold", "Can release a legal hold")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(person_hash="") & ~Q(target="") | ~Q(person_hash="") & Q(target=""),
                name="legal_hold_on_one",
            ),
        ]

    def __str__(self) -> str:
        return f"hold on {self.target or 'a person'} since {self.placed_at:%Y-%m-%d}"

    @property
    def digests(self) -> list[str]:
        """Every digest that a row about the person may have; none where it is about a booking."""
        return _digests(self.person_hash, self.email)


class Restriction(models.Model):
    """A person asked to be erased: no more processing now, and each record goes when the law no longer keeps it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person_hash = models.CharField(max_length=64)
    email = EncryptedTextField(
        label="restrictions.email", db_column="email_encrypted", null=True, help_text="Until it is settled."
    )
    since = models.DateTimeField(help_text="What they do with us later is not under it.")
    settled_at = models.DateTimeField(null=True, help_text="When the last of it was gone.")

    class Meta:
        db_table = "restrictions"
        indexes: ClassVar = [models.Index(fields=["person_hash"], name="restriction_person")]

    def __str__(self) -> str:
        return f"restriction since {self.since:%Y-%m-%d}"

    @property
    def digests(self) -> list[str]:
        """Every digest that a row about the person may have."""
        return _digests(self.person_hash, self.email)


@evidence("tombstone")
class Tombstone(models.Model):
    """That something went, under which rule, and how much; nothing of what it was. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=30)
    rule = models.CharField(max_length=100)
    action = models.CharField(max_length=20, choices=Action)
    cutoff = models.DateTimeField(null=True, help_text="What was older went; empty where a person asked for it.")
    row_count = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the ids that went, in order.")
    rows = models.JSONField(default=list, help_text="Where a person asked: the ids, so that a restored backup obeys.")
    actor = models.CharField(max_length=100)
    purged_at = models.DateTimeField()

    class Meta:
        db_table = "tombstones"
        indexes: ClassVar = [models.Index(fields=["purged_at"], name="tombstone_purged")]

    def __str__(self) -> str:
        return f"{self.row_count} x {self.kind} at {self.purged_at:%Y-%m-%d %H:%M}"


def _digests(person_hash: str, email: str | None) -> list[str]:
    """List digests under every known key: after a change of BLIND_INDEX_KEY a person's rows lie under several."""
    known = email_digests(email) if email else []
    return [*known, *([person_hash] if person_hash and person_hash not in known else [])]
