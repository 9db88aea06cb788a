"""Everything that is held on a person, across all apps, found by the blind index of their email."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string

from mindfulqalb.audit.services import record_read
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.encryption.fields import EncryptedTextField
from mindfulqalb.encryption.tokens import CannotOpen
from mindfulqalb.retention.registry import Subjects, kinds
from mindfulqalb.subject_requests.accesses import accesses_to

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import Model

    from mindfulqalb.retention.registry import Retained


Held = dict[str, list[dict[str, Any]]]
ENCODER = DjangoJSONEncoder
# Ours to find a row by; to the person they say nothing.
LEFT_OUT = ("_hash", "held_from", "access_version")


def gather(*, email: str, actor: str, reason: str, now: datetime, target: str = "") -> Held:
    """Return every row about a person, kind by kind, in clear; on record first. Raises ReasonRequired."""
    record_read(
        actor=actor,
        target=target or f"gathering:{uuid4()}",
        fields=sorted(retained.kind for retained in _given()),
        reason=reason,
        now=now,
    )
    return held_on(email)


def held_on(email: str) -> Held:
    """Find the rows of every kind that are about a person; a guardian's own stand with the young person's.

    Of the audit trail they are told who looked at these rows; the rest tells what staff did with them, in their words.
    """
    subjects = Subjects(persons=email_digests(email))
    found: Held = {}
    targets = []
    # Whatever its state, and each row once where several kinds lie in one table.
    for retained in {retained.model: retained for retained in reversed(_given())}.values():
        rows = list(retained.model._base_manager.filter(retained.of(subjects)).order_by(retained.since, "pk"))
        found[retained.kind] = [_clear(row) for row in rows]
        targets += [f"{retained.kind}:{row.pk}" for row in rows]
    found["access"] = accesses_to(targets)
    return {kind: rows for kind, rows in found.items() if rows}


def held_page(held: Held, *, now: datetime) -> str:
    """Set it as a page to read and to keep; it loads nothing from anywhere."""
    return render_to_string("subject_requests/held.html", {"held": held, "now": now})


def _given() -> list[Retained]:
    return [retained for retained in kinds.values() if retained.is_gathered]


def _clear(row: Model) -> dict[str, Any]:
    names = [field for field in row._meta.concrete_fields if not field.attname.endswith(LEFT_OUT)]
    return {field.attname: _value(row, field.attname, isinstance(field, EncryptedTextField)) for field in names}


def _value(row: Model, name: str, is_sealed: bool) -> Any:  # noqa: FBT001
    try:
        return getattr(row, name)
    except CannotOpen:
        if not is_sealed:
            raise
        return "(cannot be opened)"
