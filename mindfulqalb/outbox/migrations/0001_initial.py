from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q

from mindfulqalb.outbox.fields import IdentityField


class Migration(migrations.Migration):
    initial = True

    dependencies: ClassVar = []

    operations: ClassVar = [
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("sequence", IdentityField(editable=False)),
                ("topic", models.CharField(max_length=100)),
                (
                    "lane",
                    models.CharField(
                        help_text="kind:<id>; one message of a lane at a time, oldest first", max_length=100
                    ),
                ),
                ("payload", models.JSONField(help_text="ids only")),
                (
                    "state",
                    models.CharField(
                        choices=[("PENDING", "pending"), ("DELIVERED", "delivered"), ("DEAD", "dead")],
                        default="PENDING",
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("fencing_token", models.BigIntegerField(default=0)),
                ("last_error", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "db_table": "outbox_messages",
                "default_permissions": ("view",),
                "permissions": [("retry_outboxmessage", "Can retry dead outbox messages")],
                "indexes": [
                    models.Index(fields=["due_at"], name="outbox_due", condition=Q(state="PENDING")),
                    models.Index(
                        fields=["lane", "sequence"],
                        name="outbox_lane",
                        condition=Q(state="PENDING") | Q(leased_until__isnull=False),
                    ),
                    models.Index(
                        fields=["state", "finished_at"], name="outbox_finished", condition=~Q(state="PENDING")
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=["sequence"], name="outbox_sequence_unique"),
                    models.CheckConstraint(
                        condition=Q(state__in=["PENDING", "DELIVERED", "DEAD"]), name="outbox_state_known"
                    ),
                    models.CheckConstraint(
                        condition=Q(state="PENDING", finished_at__isnull=True)
                        | Q(~Q(state="PENDING"), finished_at__isnull=False),
                        name="outbox_finished_unless_pending",
                    ),
                    models.CheckConstraint(condition=~Q(topic="") & ~Q(lane=""), name="outbox_topic_and_lane_named"),
                ],
            },
        ),
    ]
