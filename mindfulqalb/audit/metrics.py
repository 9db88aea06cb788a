"""How far the sealing of the audit trail is behind, in numbers for a monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Max, Min

from mindfulqalb.audit.models import AuditCheckpoint
from mindfulqalb.audit.sealing import last_seal, unsealed_events
from mindfulqalb.observability.metrics import gauge

if TYPE_CHECKING:
    from datetime import datetime


@gauge("audit_unsealed_seconds", "Age of the oldest audit event that is not chained yet.")
def unsealed_seconds(now: datetime) -> float:
    """Look at what has been recorded since the transaction up to which everything is chained."""
    last = last_seal()
    oldest = (
        unsealed_events()
        .filter(transaction_id__gte=last.horizon if last else 0)
        .aggregate(oldest=Min("recorded_at"))["oldest"]
    )
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


@gauge("audit_checkpoint_seconds", "Age of the latest signed checkpoint of the audit trail; 0 while there is none.")
def checkpoint_seconds(now: datetime) -> float:
    """Look at the latest one."""
    latest = AuditCheckpoint.objects.aggregate(latest=Max("signed_at"))["latest"]
    return max(0.0, (now - latest).total_seconds()) if latest else 0.0
