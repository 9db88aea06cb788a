"""The parts that every export has: the whole chain in heads, what was removed, and the verifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mindfulqalb.audit.actions import REMOVALS
from mindfulqalb.audit.digests import canonical, head_of
from mindfulqalb.audit.exports.archive import Part
from mindfulqalb.audit.models import AuditEvent, AuditSeal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from mindfulqalb.audit.models import AuditCheckpoint

CHUNK_ROWS = 1000
VERIFIER = Path(__file__).with_name("verify_export.py")


def trail_parts(checkpoint: AuditCheckpoint) -> list[Part]:
    """Return what shows that nothing was left out: ids and digests of everybody, and nobody's data."""
    return [
        Part("chain.jsonl", lambda: _chain(checkpoint.sequence)),
        Part("removals.jsonl", lambda: _removals(checkpoint.sequence)),
        Part("verify_export.py", lambda: [VERIFIER.read_bytes()]),
    ]


def json_line(value: Any) -> bytes:
    """Write one line of a .jsonl file, in the canonical form."""
    return canonical(value) + b"\n"


def payload_entry(event: AuditEvent) -> dict[str, Any]:
    """Return an event's payload with the salt that ties it to its head."""
    return {
        "id": event.id,
        "salt": event.salt,
        "details": event.details,
        "evidence": event.evidence,
        "reason": event.reason,
    }


def sealed_ids(event_ids: Iterable[UUID], *, reach: int) -> set[UUID]:
    """Return those events that the chain holds up to `reach`."""
    seals = AuditSeal.objects.filter(event_id__in=list(event_ids), sequence__lte=reach)
    return set(seals.values_list("event_id", flat=True))


def _chain(reach: int) -> Iterator[bytes]:
    behind = 0
    while behind < reach:
        chunk = AuditSeal.objects.filter(sequence__gt=behind, sequence__lte=reach).order_by("sequence")[:CHUNK_ROWS]
        seals = list(chunk)
        if not seals:
            return  # cut off: the verifier will say so
        events = AuditEvent.objects.in_bulk([seal.event_id for seal in seals])
        for seal in seals:
            event = events.get(seal.event_id)
            yield json_line({"sequence": seal.sequence, "head": head_of(event) if event else None})
        behind = seals[-1].sequence


def _removals(reach: int) -> Iterator[bytes]:
    events = AuditEvent.objects.filter(action__in=REMOVALS).order_by("recorded_at", "id")
    for event in events.iterator(chunk_size=100):
        if sealed_ids([event.id], reach=reach):
            yield json_line(payload_entry(event))
