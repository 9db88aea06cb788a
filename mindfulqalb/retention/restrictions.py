"""Whose data is used no more, and goes when the law no longer keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.encryption.blind_index import email_digest, email_digests
from mindfulqalb.retention.models import Restriction

if TYPE_CHECKING:
    from datetime import datetime


def restrict_person(*, email: str, since: datetime) -> tuple[Restriction, bool]:
    """Return the restriction in force on a person, and whether it is new: there is one at a time."""
    in_force = Restriction.objects.filter(person_hash__in=email_digests(email), settled_at=None).first()
    if in_force is not None:
        return in_force, False
    return Restriction.objects.create(person_hash=email_digest(email), email=email, since=since), True
