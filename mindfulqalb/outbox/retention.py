"""How long what was delivered is kept; what is dead waits for a person."""

from __future__ import annotations

from django.db.models import Q

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.retention.removers import keep_whole

MESSAGES = keep_whole("outbox", OutboxMessage, since="finished_at", holding=Q(state=State.DELIVERED))
