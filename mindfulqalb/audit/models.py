"""Audit events: ids and digests only, never a person's data."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.functions import TransactionNow
from django.db import models


class AuditEvent(models.Model):
    """One thing that somebody did, written in the transaction of the thing itself; triggers refuse any later change."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    actor = models.CharField(max_length=100, help_text="client, system, staff:<id> or vendor:<name>")
    action = models.CharField(max_length=100, help_text="dotted: booking.confirmed")
    target = models.CharField(max_length=100, help_text="kind:<id>")
    request_id = models.CharField(max_length=64, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        db_table = "audit_events"
        indexes: ClassVar = [
            models.Index(fields=["target", "occurred_at"], name="audit_target"),
            models.Index(fields=["occurred_at"], name="audit_occurred"),
        ]

    def __str__(self) -> str:
        return f"{self.occurred_at:%Y-%m-%d %H:%M:%S} {self.action} {self.target} by {self.actor}"
