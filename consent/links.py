"""The client's signed link to their consent: to see it, to take it along, to withdraw it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from consent.models import ConsentRecord
from consent.states import GIVING
from mindfulqalb.api.tokens import Claims, InvalidToken, issue_token, read_token

if TYPE_CHECKING:
    from datetime import datetime

# As long as a consent covers new bookings. Withdrawing has to stay easy, and each mail and page of a session brings
# a new one; a link in a mailbox that somebody else has by now must not open it for the seven years of the record.
VALID_FOR = timedelta(days=365)

Revocations = Callable[[ConsentRecord], int]
_revocations: list[Revocations] = []


def revokes_links(count: Revocations) -> Revocations:
    """Register how often the links to a consent were revoked: evidence has no version of its own to raise."""
    _revocations.append(count)
    return count


def consent_token(consent: ConsentRecord, *, now: datetime) -> str:
    """Sign the token of a consent's links: good for a year, and no longer than the record is kept."""
    claims = Claims(subject=str(consent.id), version=_version(consent))
    ends = min(consent.expires_at, now + VALID_FOR)
    return issue_token(audience="consent", claims=claims, now=now, expires_at=ends)


def consent_url(consent: ConsentRecord, *, now: datetime) -> str:
    """The client's page about it."""
    return f"{settings.SITE_URL}/consent/{consent_token(consent, now=now)}"


def consent_of_token(token: str, *, now: datetime) -> ConsentRecord:
    """Find the consent that a token opens. Raises InvalidToken for a forged, expired or revoked one."""
    claims = read_token(token, audience="consent", now=now)
    try:
        found = ConsentRecord.objects.filter(id=UUID(claims.subject), event__in=GIVING).first()
    except ValueError as error:
        raise InvalidToken from error
    if found is None or claims.version != _version(found):
        raise InvalidToken
    return found


def _version(consent: ConsentRecord) -> int:
    return 1 + sum(count(consent) for count in _revocations)
