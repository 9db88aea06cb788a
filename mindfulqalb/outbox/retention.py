"""How long what was delivered is kept; what is dead waits for a person."""

from __future__ import annotations

from django.db.models import Q

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import delete_rows
from mindfulqalb.retention.states import Action

MESSAGES = keep(
    Retained(
        kind="outbox",
        model=OutboxMessage,
        since="finished_at",
        holding=Q(state=State.DELIVERED),
        actions={Action.ERASE: delete_rows(OutboxMessage)},
    )
)
