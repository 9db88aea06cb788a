"""Export audit events in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.audit.exports.services import begin_export, stream_export
from mindfulqalb.audit.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from mindfulqalb.audit.exports.period import Period
    from mindfulqalb.audit.exports.services import Export


def export_events(*, period: Period, actor: str, reason: str, now: datetime) -> tuple[Export, Iterator[bytes]]:
    """Begin an export of every event of a period with its payload; return it and its archive.

    Raises ReasonRequired.
    """

    def show(events: Sequence[AuditEvent]) -> Mapping[UUID, Mapping[str, object]]:
        within = AuditEvent.objects.filter(period.of("occurred_at"), id__in=[event.id for event in events])
        return {event_id: {} for event_id in within.values_list("id", flat=True)}

    export = begin_export(subject="events", period=period, filters={}, actor=actor, reason=reason, now=now)
    return export, stream_export(export=export, parts=[], show=show)
