"""The client's signed link to their consent: to see it, to take it along, to withdraw it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from consent.models import ConsentRecord
from consent.states import GIVING
from mindfulqalb.api.tokens import Claims, InvalidToken, issue_token, read_token

if TYPE_CHECKING:
    from datetime import datetime

# Evidence has no version to raise: the link is good as long as the record is kept.
VERSION = 1


def consent_token(consent: ConsentRecord, *, now: datetime) -> str:
    """Sign the token of a consent's links."""
    claims = Claims(subject=str(consent.id), version=VERSION)
    return issue_token(audience="consent", claims=claims, now=now, expires_at=consent.expires_at)


def consent_url(consent: ConsentRecord, *, now: datetime) -> str:
    """The client's page about it."""
    return f"{settings.SITE_URL}/consent/{consent_token(consent, now=now)}"


def consent_of_token(token: str, *, now: datetime) -> ConsentRecord:
    """Find the consent that a token opens. Raises InvalidToken for a forged or expired one, or a purged record."""
    claims = read_token(token, audience="consent", now=now)
    try:
        found = ConsentRecord.objects.filter(id=UUID(claims.subject), event__in=GIVING).first()
    except ValueError as error:
        raise InvalidToken from error
    if found is None or claims.version != VERSION:
        raise InvalidToken
    return found
