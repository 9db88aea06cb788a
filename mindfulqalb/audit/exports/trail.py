"""What every export has: the whole trail, an event a line, with what is shown of each; and the verifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mindfulqalb.audit.actions import REMOVALS
from mindfulqalb.audit.digests import canonical, head_of, payload_of
from mindfulqalb.audit.exports.archive import Part
from mindfulqalb.audit.models import AuditEvent, AuditSeal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mindfulqalb.audit.models import AuditCheckpoint

CHUNK_ROWS = 1000
VERIFIER = Path(__file__).with_name("verify_export.py")
# Of some events, those whose payload is shown, by id, with what is shown beside it.
Showing = Callable[[Sequence[AuditEvent]], Mapping[UUID, Mapping[str, Any]]]


def trail_part(checkpoint: AuditCheckpoint, show: Showing) -> Part:
    """Return what shows that nothing was left out: of everybody ids and digests, of what is shown what they stand for.

    What accounts for removals is always shown: it names no person.
    """
    return Part("trail.jsonl", lambda: _trail(checkpoint.sequence, show))


def verifier_part() -> Part:
    """Return the verifier as it is now, for what is in the archive now."""
    return Part("verify_export.py", lambda: [VERIFIER.read_bytes()])


def json_line(value: Any) -> bytes:
    """Write one line of a .jsonl file, in the canonical form."""
    return canonical(value) + b"\n"


def sealed_ids(event_ids: Iterable[UUID], *, reach: int) -> set[UUID]:
    """Return those events that the chain holds up to `reach`."""
    seals = AuditSeal.objects.filter(event_id__in=list(event_ids), sequence__lte=reach)
    return set(seals.values_list("event_id", flat=True))


def _trail(reach: int, show: Showing) -> Iterator[bytes]:
    behind = 0
    while behind < reach:
        chunk = AuditSeal.objects.filter(sequence__gt=behind, sequence__lte=reach).order_by("sequence")[:CHUNK_ROWS]
        seals = list(chunk)
        if not seals:
            return  # cut off: the verifier will say so
        events = AuditEvent.objects.in_bulk([seal.event_id for seal in seals])
        shown: dict[UUID, Mapping[str, Any]] = {event.id: {} for event in events.values() if event.action in REMOVALS}
        shown |= show(list(events.values()))
        for seal in seals:
            yield json_line({"sequence": seal.sequence} | _entry(events.get(seal.event_id), shown))
        behind = seals[-1].sequence


def _entry(event: AuditEvent | None, shown: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    """Spell an event; the salt ties its payload, unless that is erased, to its head."""
    if event is None:
        return {"head": None}
    entry = {"head": head_of(event), **shown.get(event.id, {})}
    if event.id in shown and event.salt is not None:
        entry |= {"salt": event.salt, "payload": payload_of(event)}
    return entry
