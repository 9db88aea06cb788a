"""Legal holds: what must not go, whatever the timetable says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from mindfulqalb.api.errors import InvalidInput
from mindfulqalb.audit.services import record, required_reason
from mindfulqalb.encryption.blind_index import email_digest, email_digests
from mindfulqalb.retention.models import LegalHold
from mindfulqalb.retention.registry import Subjects

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

PURGE_LOCK = 0x90A6E


def place_hold(*, email: str = "", target: str = "", reason: str, actor: str, now: datetime) -> LegalHold:
    """Keep all about a person, or about one booking, until the hold is released. Raises ReasonRequired, InvalidInput.

    When it returns, no purge that is running takes any of it away.
    """
    why = required_reason(reason)
    if bool(email) == bool(target):
        raise InvalidInput(fields={"email": ["Name a person or a booking, and not both."]})
    with transaction.atomic():
        lock_purge()
        person_hash = email_digest(email) if email else ""
        hold = LegalHold.objects.create(
            person_hash=person_hash,
            email=email or None,
            target=target,
            reason=why,
            placed_at=now,
            placed_by=actor,
        )
        _note(hold, "retention.hold_placed", actor, why, now)
    return hold


def release_hold(*, hold_id: UUID, reason: str, actor: str, now: datetime) -> LegalHold:
    """Let the timetable have its way again. Released before: nothing happens. Raises ReasonRequired."""
    why = required_reason(reason)
    with transaction.atomic():
        hold = LegalHold.objects.select_for_update().get(id=hold_id)
        if hold.released_at is None:
            hold.released_at, hold.released_by, hold.email = now, actor, None
            hold.save(update_fields=["released_at", "released_by", "email"])
            _note(hold, "retention.hold_released", actor, why, now)
    return hold


def held_subjects() -> Subjects:
    """Find whom and what the holds in force are about."""
    holds = list(LegalHold.objects.filter(released_at=None))
    return Subjects(
        persons=[digest for hold in holds for digest in hold.digests],
        targets=[hold.target for hold in holds if hold.target],
    )


def is_held(*, email: str) -> bool:
    """Whether a hold in force is about this person."""
    return LegalHold.objects.filter(released_at=None, person_hash__in=email_digests(email)).exists()


def lock_purge() -> None:
    """Wait for the chunk that is being purged, and let none begin before the end of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PURGE_LOCK])


def _note(hold: LegalHold, action: str, actor: str, reason: str, now: datetime) -> None:
    kind = "person" if hold.person_hash else hold.target
    record(action=action, actor=actor, target=f"legal_hold:{hold.id}", details={"on": kind}, reason=reason, now=now)
