"""Messages to the world outside, one row per intent."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from mindfulqalb.outbox.fields import IdentityField
from mindfulqalb.outbox.states import State


class OutboxMessage(models.Model):
    """One thing to be done outside, written in the transaction of the state change that asks for it.

    A message holds its lane while it is pending, and as long as the lease of a delivery lasts.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sequence = IdentityField(editable=False)
    topic = models.CharField(max_length=100)
    lane = models.CharField(max_length=100, help_text="kind:<id>; one message of a lane at a time, oldest first")
    payload = models.JSONField(help_text="ids only")
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    fencing_token = models.BigIntegerField(default=0)
    last_error = models.TextField(blank=True, default="")
    request_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="Of the request that asked for it."
    )
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "outbox_messages"
        default_permissions = ("view",)
        permissions: ClassVar = [("retry_outboxmessage", "Can retry dead outbox messages")]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="outbox_due", condition=Q(state=State.PENDING)),
            models.Index(
                fields=["lane", "sequence"],
                name="outbox_lane",
                condition=Q(state=State.PENDING) | Q(leased_until__isnull=False),
            ),
            models.Index(fields=["topic", "sequence"], name="outbox_topic"),
            models.Index(fields=["state", "sequence"], name="outbox_state"),
            models.Index(fields=["lane"], name="outbox_of_lane"),
            # Counts the dead, and finds the delivered when they are old enough to go.
            models.Index(fields=["state", "finished_at"], name="outbox_finished", condition=~Q(state=State.PENDING)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sequence"], name="outbox_sequence_unique"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="outbox_state_known"),
            models.CheckConstraint(
                condition=Q(state=State.PENDING, finished_at__isnull=True)
                | Q(~Q(state=State.PENDING), finished_at__isnull=False),
                name="outbox_finished_unless_pending",
            ),
            models.CheckConstraint(condition=~Q(topic="") & ~Q(lane=""), name="outbox_topic_and_lane_named"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.id}"
