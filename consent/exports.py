"""Export consent records for an auditor: in the trail, each beside what proves it, and for people as CSV."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from consent.models import ConsentDocument, ConsentRecord
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.audit.digests import plain
from mindfulqalb.audit.exports.archive import Part
from mindfulqalb.audit.exports.services import begin_export, stream_export
from mindfulqalb.audit.exports.trail import CHUNK_ROWS, json_line, sealed_ids
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.encryption.tokens import CannotOpen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

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
    strays: list[str] = []
    parts = [
        Part("consents.csv", lambda: _csv_lines(wanted, now, export.checkpoint.sequence, strays)),
        Part("strays.jsonl", lambda: map(json_line, strays)),
        Part("documents.jsonl", _document_lines),
    ]
    return export, stream_export(export=export, parts=parts, show=partial(_show, wanted, now))


def _show(
    wanted: ConsentFilter, now: datetime, events: Sequence[AuditEvent]
) -> Mapping[UUID, Mapping[str, dict[str, Any]]]:
    """Show beside each act the record that it made."""
    acts = {event.target.partition(":")[2]: event.id for event in events if _is_act(event)}
    records = wanted.rows(now).filter(id__in=list(acts))
    return {acts[str(record.id)]: {"record": _content(record)} for record in records}


def _is_act(event: AuditEvent) -> bool:
    return event.target.startswith("consent:") and event.action.startswith("consent.")


def _content(record: ConsentRecord) -> dict[str, Any]:
    return {str(field.column): _value(record, field.attname) for field in ConsentRecord._meta.concrete_fields}


def _csv_lines(wanted: ConsentFilter, now: datetime, reach: int, strays: list[str]) -> Iterator[bytes]:
    """Write records by time; name those that no event vouches for in `strays`."""
    yield b"\xef\xbb\xbf" + _csv_line(["id", *CSV_COLUMNS])  # by its mark spreadsheets know that it is UTF-8
    for chunk in _chunks(wanted, now):
        acts, sealed = _acts_of(chunk, reach)
        for record in chunk:
            target = f"consent:{record.id}"
            if target not in acts:
                strays.append(target)
            elif acts[target] not in sealed:
                continue  # committed after the checkpoint: the next export will have it
            yield _csv_line([CONSENT.encode(record.id), *(_value(record, name) for name in CSV_COLUMNS)])


def _document_lines() -> Iterator[bytes]:
    columns = ("id", "kind", "version", "locale", "title", "text", "acknowledgments", "sha256", "published_at")
    published = ConsentDocument.objects.filter(published_at__isnull=False).order_by("published_at", "id")
    for document in published:
        yield json_line({name: getattr(document, name) for name in columns})


def _chunks(wanted: ConsentFilter, now: datetime) -> Iterator[list[ConsentRecord]]:
    """Read by time, a chunk at a time."""
    rows = wanted.rows(now).order_by("created_at", "id")
    left = rows
    while chunk := list(left[:CHUNK_ROWS]):
        yield chunk
        last = chunk[-1]
        later = Q(created_at__gt=last.created_at) | Q(id__gt=last.id)
        left = rows.filter(later, created_at__gte=last.created_at)


def _acts_of(chunk: list[ConsentRecord], reach: int) -> tuple[dict[str, UUID], set[UUID]]:
    """Find the events that made these records, by target, and which of them the checkpoint covers."""
    targets = [f"consent:{record.id}" for record in chunk]
    events = AuditEvent.objects.filter(target__in=targets, action__startswith="consent.")
    acts = dict(events.values_list("target", "id"))
    return acts, sealed_ids(acts.values(), reach=reach)


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
