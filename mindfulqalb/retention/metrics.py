"""Whether purges come to their end, in numbers for a monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Max

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.observability.metrics import gauge
from mindfulqalb.retention.purging import TIMETABLE

if TYPE_CHECKING:
    from datetime import datetime


@gauge("retention_purge_seconds", "Age of the latest purge that came to its end; 0 while there is none.")
def purge_seconds(now: datetime) -> float:
    """Look it up in the audit trail."""
    latest = AuditEvent.objects.filter(target=TIMETABLE).aggregate(latest=Max("occurred_at"))["latest"]
    return max(0.0, (now - latest).total_seconds()) if latest else 0.0
