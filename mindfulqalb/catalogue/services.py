"""Put the practice's first catalogue into an empty database."""

from __future__ import annotations

from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext_noop as _

from mindfulqalb.catalogue.models import CancellationRule, Price, SessionFormat, SessionOffer, SessionType, Therapist


class Listed(NamedTuple):
    """One line of the first price list; prices in whole rupees and dollars, 0 for free."""

    session_type: SessionType
    format: SessionFormat
    minutes: int
    rupees: int
    dollars: int
    is_default: bool


DEFAULT_OFFERS = (
    Listed(SessionType.INDIVIDUAL, SessionFormat.CHAT, 30, 499, 6, is_default=False),
    Listed(SessionType.INDIVIDUAL, SessionFormat.AUDIO, 45, 899, 11, is_default=False),
    Listed(SessionType.INDIVIDUAL, SessionFormat.VIDEO, 60, 1299, 16, is_default=True),
    Listed(SessionType.COUPLES, SessionFormat.AUDIO, 60, 1499, 18, is_default=False),
    Listed(SessionType.COUPLES, SessionFormat.VIDEO, 90, 1999, 24, is_default=True),
    Listed(SessionType.FAMILY, SessionFormat.AUDIO, 60, 1699, 21, is_default=False),
    Listed(SessionType.FAMILY, SessionFormat.VIDEO, 90, 2499, 30, is_default=True),
    Listed(SessionType.FREE, SessionFormat.AUDIO, 15, 0, 0, is_default=True),
)
# Hours of notice, and what goes back.
DEFAULT_CANCELLATION_RULES = ((24, 100), (0, 50))
TITLES = {
    SessionType.INDIVIDUAL: _("Individual session"),
    SessionType.COUPLES: _("Couples session"),
    SessionType.FAMILY: _("Family session"),
    SessionType.FREE: _("Free first call"),
}


@transaction.atomic
def load_default_catalogue(*, therapist_name: str) -> int:
    """Create the offers that are missing and return how many; what staff have changed stays as it is."""
    for hours, percent in DEFAULT_CANCELLATION_RULES if not CancellationRule.objects.exists() else ():
        CancellationRule.objects.create(hours_before=hours, refund_percent=percent)
    therapist, _created = Therapist.objects.get_or_create(slug="practice", defaults={"name": therapist_name})
    return sum(_create_missing(therapist, position, listed) for position, listed in enumerate(DEFAULT_OFFERS))


def _has_default(session_type: SessionType) -> bool:
    return SessionOffer.objects.filter(session_type=session_type, is_default=True).exists()


def _create_missing(therapist: Therapist, position: int, listed: Listed) -> bool:
    offer, created = SessionOffer.objects.get_or_create(
        session_type=listed.session_type,
        format=listed.format,
        defaults={
            "title": TITLES[listed.session_type],
            "duration_minutes": listed.minutes,
            "therapist": therapist,
            "is_default": listed.is_default and not _has_default(listed.session_type),
            "position": position,
        },
    )
    if created:
        amounts = {"INR": listed.rupees * 100, "USD": listed.dollars * 100}
        Price.objects.bulk_create(
            Price(offer=offer, currency=currency, amount_minor=amount) for currency, amount in amounts.items() if amount
        )
    return created
