"""An action over many rows, and what became of each."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from mindfulqalb.bulk_actions.states import RowState
from mindfulqalb.encryption.fields import EncryptedTextField


class BulkAction(models.Model):
    """Who asked for what, and how far it is. What they typed is kept until it is done, and no longer."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.UUIDField(help_text="Of the page that was answered: sent twice, it is the same.")
    actor = models.CharField(max_length=100, help_text="staff:<id>")
    model = models.CharField(max_length=100)
    action = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    reason = EncryptedTextField(label="bulk_actions.reason", null=True, db_column="reason_encrypted")
    value = EncryptedTextField(label="bulk_actions.value", null=True, db_column="value_encrypted")
    row_count = models.PositiveIntegerField()
    done_count = models.PositiveIntegerField(default=0)
    not_done_count = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "bulk_actions"
        default_permissions = ("view",)
        indexes: ClassVar = [
            models.Index(fields=["actor", "-asked_at"], name="bulk_action_of_actor"),
            models.Index(fields=["-asked_at"], name="bulk_action_asked"),
            models.Index(fields=["finished_at", "id"], name="bulk_action_finished"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["actor", "key"], name="bulk_action_once"),
            models.CheckConstraint(
                condition=Q(row_count__gte=F("done_count") + F("not_done_count")), name="bulk_action_counts_rows_once"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def lane(self) -> str:
        """Where its work waits in the outbox."""
        return f"bulk_action:{self.id}"

    @property
    def waiting_count(self) -> int:
        """How many rows are still to be worked on."""
        return self.row_count - self.done_count - self.not_done_count


class BulkActionRow(models.Model):
    """One row that was chosen; `sentence` says why it was not done."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    bulk_action = models.ForeignKey(BulkAction, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveIntegerField()
    object_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=RowState, default=RowState.WAITING)
    sentence = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "bulk_action_rows"
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bulk_action", "position"], name="bulk_action_row_position"),
            models.UniqueConstraint(fields=["bulk_action", "object_id"], name="bulk_action_row_once"),
            models.CheckConstraint(condition=Q(state__in=RowState.values), name="bulk_action_row_state_known"),
        ]

    def __str__(self) -> str:
        return self.name
