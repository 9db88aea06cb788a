"""The digests that tie the audit trail together; none needs a secret, so a stranger can compute each of them anew.

They are written in years-old exports: their form must never change. `exports/verify_export.py` has the same few lines.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from mindfulqalb.audit.models import AuditEvent

GENESIS = "0" * 64  # what the first link follows
HEAD_COLUMNS = ("id", "occurred_at", "recorded_at", "actor", "action", "target", "request_id", "payload_digest")
PAYLOAD_COLUMNS = ("details", "evidence", "reason")


def canonical(value: Any) -> bytes:
    """Write JSON in its one form: sorted keys, no spaces, ASCII. Raises TypeError for floats, which have several."""
    _refuse_floats(value)
    return _encoder.encode(value).encode("ascii")


def plain(value: Any) -> Any:
    """Spell what JSON has no word for: times in UTC with microseconds, ids and bytes as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    raise TypeError(f"{type(value).__name__} has no canonical form")


# Made once: json.dumps would make one for each event.
_encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=plain)


def head_of(event: AuditEvent) -> dict[str, Any]:
    """Return what stays of an event for ever: ids, times, names, and a digest of the rest."""
    return {name: _spelt(getattr(event, name)) for name in HEAD_COLUMNS}


def payload_of(event: AuditEvent) -> dict[str, Any]:
    """Return what leaves an event when a person is erased."""
    return {name: getattr(event, name) for name in PAYLOAD_COLUMNS}


def sha256_of(value: Any) -> str:
    """Digest the canonical form."""
    return hashlib.sha256(canonical(value)).hexdigest()


def salted_digest(salt: bytes | memoryview[int], value: Any) -> str:
    """Digest what a stranger must not be able to guess: once the salt is erased, nobody can try."""
    return hashlib.sha256(bytes(salt) + canonical(value)).hexdigest()


def chain_digest(sequence: int, previous: str, head_digest: str) -> str:
    """Tie the head of an event to its place and to all before it."""
    return hashlib.sha256(f"{sequence} {previous} {head_digest}".encode("ascii")).hexdigest()


def _spelt(value: Any) -> Any:
    return plain(value) if isinstance(value, datetime | UUID) else value


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical form: record an integer or text")
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            _refuse_floats(part)
