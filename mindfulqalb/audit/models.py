"""The audit trail: events, the seals that chain them, checkpoints, and what verifications found."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from mindfulqalb.audit.actions import REMOVALS


class TransactionId(models.Func):
    """The id of the running transaction; ids of later transactions are greater."""

    template = "pg_current_xact_id()::text::bigint"
    output_field = models.BigIntegerField()


class AuditEvent(models.Model):
    """One thing that somebody did, written in the transaction of the thing itself; triggers refuse any later change.

    The head (ids, and a salted digest of the payload) stays. The payload and its salt can be erased under a rule, and
    the chain over the heads stays valid.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    actor = models.CharField(max_length=100, help_text="client, system, staff:<id> or vendor:<name>")
    action = models.CharField(max_length=100, help_text="dotted: booking.confirmed")
    target = models.CharField(max_length=100, help_text="kind:<id>")
    request_id = models.CharField(max_length=64, blank=True)
    payload_digest = models.CharField(max_length=64, editable=False)
    transaction_id = models.BigIntegerField(db_default=TransactionId(), editable=False)

    salt = models.BinaryField(null=True, editable=False)
    details: models.JSONField[Any, Any] = models.JSONField(null=True, help_text="Ids, states, amounts and digests.")
    evidence: models.JSONField[Any, Any] = models.JSONField(
        null=True, help_text="Digest of the row that this event vouches for, and its columns."
    )
    reason = models.TextField(null=True, help_text="Why, in the actor's words.")  # noqa: DJ001  (null once erased)

    class Meta:
        db_table = "audit_events"
        permissions: ClassVar = [("export_evidence", "Can export evidence for auditors")]
        indexes: ClassVar = [
            models.Index(fields=["target", "occurred_at"], name="audit_target"),
            models.Index(fields=["occurred_at"], name="audit_occurred"),
            models.Index(fields=["action", "occurred_at"], name="audit_action"),
            models.Index(fields=["actor", "occurred_at"], name="audit_actor"),
            models.Index(fields=["request_id"], name="audit_request"),
            models.Index(fields=["transaction_id"], name="audit_transaction"),
            # For the purge of payloads: what vouches for a row is not among them, nor what is erased or stays for ever.
            models.Index(
                fields=["occurred_at", "id"],
                condition=Q(salt__isnull=False, evidence__isnull=True) & ~Q(action__in=REMOVALS),
                name="audit_erasable",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(salt__isnull=False, details__isnull=False, reason__isnull=False)
                | Q(salt__isnull=True, details__isnull=True, evidence__isnull=True, reason__isnull=True),
                name="audit_payload_whole_or_erased",
            )
        ]

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d %H:%M:%S} {self.action} {self.target} by {self.actor}"


class AuditSeal(models.Model):
    """The link of one event in the chain: its place, its head, and all that was sealed before it."""

    sequence = models.BigIntegerField(primary_key=True)
    # Not a foreign key: the seal of an event that was taken away is what gives that away.
    event_id = models.UUIDField(unique=True)
    head_digest = models.CharField(max_length=64)
    chain_digest = models.CharField(max_length=64)
    horizon = models.BigIntegerField(help_text="Whatever transactions before this one recorded is chained by now.")
    chained_at = models.DateTimeField()

    class Meta:
        db_table = "audit_seals"

    def __str__(self) -> str:
        return f"seal {self.sequence}"


class AuditCheckpoint(models.Model):
    """A signed word on how far the chain went and what it said there; copies of it leave the house."""

    number = models.BigIntegerField(primary_key=True)
    sequence = models.BigIntegerField(help_text="The last seal that it covers; 0 for an empty chain.")
    chain_digest = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, help_text="Digest of the checkpoint before.")
    signed_at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    signature = models.CharField(max_length=128, help_text="Ed25519, in hexadecimal.")

    class Meta:
        db_table = "audit_checkpoints"

    def __str__(self) -> str:
        return f"checkpoint {self.number} at seal {self.sequence}"


class AuditVerification(models.Model):
    """What one look through the whole audit trail found."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    event_count = models.BigIntegerField()
    row_count = models.BigIntegerField(help_text="Rows of evidence that were compared with their digests.")
    erased_count = models.BigIntegerField(help_text="Payloads and rows that are gone under a rule.")
    finding_count = models.IntegerField()
    findings = models.JSONField(help_text="The first of them, by kind and in words.")

    class Meta:
        db_table = "audit_verifications"

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}: {self.finding_count} findings"
