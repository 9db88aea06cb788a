"""Export audit events in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.audit.exports.archive import Part
from mindfulqalb.audit.exports.services import begin_export, stream_export
from mindfulqalb.audit.exports.trail import CHUNK_ROWS, json_line, payload_entry
from mindfulqalb.audit.models import AuditEvent, AuditSeal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mindfulqalb.audit.exports.period import Period
    from mindfulqalb.audit.exports.services import Export


def export_events(*, period: Period, actor: str, reason: str, now: datetime) -> tuple[Export, Iterator[bytes]]:
    """Begin an export of every event of a period with its payload; return it and its archive.

    Raises ReasonRequired.
    """
    export = begin_export(subject="events", period=period, filters={}, actor=actor, reason=reason, now=now)
    part = Part("events.jsonl", lambda: _events(period, export.checkpoint.sequence))
    return export, stream_export(export=export, parts=[part])


def _events(period: Period, reach: int) -> Iterator[bytes]:
    behind = 0
    while behind < reach:
        seals = AuditSeal.objects.filter(sequence__gt=behind, sequence__lte=reach).order_by("sequence")[:CHUNK_ROWS]
        places = dict(seals.values_list("event_id", "sequence"))
        if not places:
            return
        events = AuditEvent.objects.filter(period.of("occurred_at"), id__in=list(places))
        for event in sorted(events, key=lambda event: places[event.id]):
            yield json_line(payload_entry(event) | {"target": event.target})
        behind = max(places.values())
