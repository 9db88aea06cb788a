"""Export consent records for an auditor: for programs (JSON Lines, with what proves each) and for people (CSV)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from consent.models import ConsentDocument, ConsentRecord
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.audit.digests import plain
from mindfulqalb.audit.exports.archive import Part
from mindfulqalb.audit.exports.services import begin_export, stream_export
from mindfulqalb.audit.exports.trail import CHUNK_ROWS, json_line, payload_entry, sealed_ids
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.encryption.tokens import CannotOpen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from consent.export_filter import ConsentFilter
    from mindfulqalb.audit.exports.services import Export

# What a spreadsheet would take for a formula.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")
CSV_COLUMNS = (
    *("created_at", "event", "kind", "session_type", "consent_version", "document_sha256", "locale", "method"),
    *("acknowledgments", "control_label", "actor", "email", "full_ip_address", "ip_address_source"),
    *("claimed_ip_address", "user_agent", "age_band", "guardian_name", "guardian_email", "guardian_relation"),
    *("is_flagged", "valid_until", "expires_at", "request_id", "reference", "refers_to_id"),
)


def export_consents(
    *, wanted: ConsentFilter, actor: str, reason: str, now: datetime, allow_empty: bool = False
) -> tuple[Export, Iterator[bytes]]:
    """Begin an export; return it and its archive, which is made while it is sent, in constant memory.

    Raises ReasonRequired, InvalidInput for a filter that no record can pass, NothingMatches unless `allow_empty`.
    """
    wanted.refuse_mistakes()
    if not allow_empty:
        wanted.refuse_nothing(now)
    export = begin_export(
        subject="consents", period=wanted.period, filters=wanted.narrowed(), actor=actor, reason=reason, now=now
    )
    reach = export.checkpoint.sequence
    parts = [
        Part("records.jsonl", lambda: _record_lines(wanted, now, reach)),
        Part("consents.csv", lambda: _csv_lines(wanted, now, reach)),
        Part("documents.jsonl", _document_lines),
    ]
    return export, stream_export(export=export, parts=parts)


def _record_lines(wanted: ConsentFilter, now: datetime, reach: int) -> Iterator[bytes]:
    for chunk in _chunks(wanted, now, reach):
        for record, event in chunk:
            fields = ConsentRecord._meta.concrete_fields
            content = {str(field.column): _value(record, field.attname) for field in fields}
            yield json_line({"record": content, "event": payload_entry(event) if event else None})


def _csv_lines(wanted: ConsentFilter, now: datetime, reach: int) -> Iterator[bytes]:
    yield b"\xef\xbb\xbf" + _csv_line(["id", *CSV_COLUMNS])  # by its mark spreadsheets know that it is UTF-8
    for chunk in _chunks(wanted, now, reach):
        for record, _ in chunk:
            yield _csv_line([CONSENT.encode(record.id), *(_value(record, name) for name in CSV_COLUMNS)])


def _document_lines() -> Iterator[bytes]:
    columns = ("id", "kind", "version", "locale", "title", "text", "acknowledgments", "sha256", "published_at")
    published = ConsentDocument.objects.filter(published_at__isnull=False).order_by("published_at", "id")
    for document in published:
        yield json_line({name: getattr(document, name) for name in columns})


def _chunks(
    wanted: ConsentFilter, now: datetime, reach: int
) -> Iterator[list[tuple[ConsentRecord, AuditEvent | None]]]:
    """Read by time, a chunk at a time, each record with the event that vouches for it."""
    rows = wanted.rows(now).order_by("created_at", "id")
    left = rows
    while chunk := list(left[:CHUNK_ROWS]):
        yield _with_events(chunk, reach)
        last = chunk[-1]
        later = Q(created_at__gt=last.created_at) | Q(id__gt=last.id)
        left = rows.filter(later, created_at__gte=last.created_at)


def _with_events(chunk: list[ConsentRecord], reach: int) -> list[tuple[ConsentRecord, AuditEvent | None]]:
    """Leave out what was committed after the checkpoint: the next export will have it."""
    targets = [f"consent:{record.id}" for record in chunk]
    events: dict[str, AuditEvent] = {}
    about = AuditEvent.objects.filter(target__in=targets).order_by("recorded_at", "id")
    for event in sorted(about, key=lambda event: event.evidence is None):
        events.setdefault(event.target, event)
    sealed = sealed_ids([event.id for event in events.values()], reach=reach)
    pairs = [(record, events.get(target)) for record, target in zip(chunk, targets, strict=True)]
    return [(record, event) for record, event in pairs if event is None or event.id in sealed]


def _value(record: ConsentRecord, name: str) -> Any:
    """Return it in clear; what does not open must not keep the auditor from the rest, and no verifier lets it pass."""
    try:
        return getattr(record, name)
    except CannotOpen as error:
        return f"(cannot be opened: {error.reason})"


def _csv_line(values: list[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow([_cell(value) for value in values])
    return line.getvalue().encode()


def _cell(value: Any) -> str:
    text = "" if value is None else value if isinstance(value, str) else _spelt(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text


def _spelt(value: Any) -> str:
    if isinstance(value, bool | int):
        return str(value)
    return " ".join(map(str, value)) if isinstance(value, list) else str(plain(value))
