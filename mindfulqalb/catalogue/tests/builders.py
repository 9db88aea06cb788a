"""Plain builders of what is sold."""

from __future__ import annotations

from typing import Any

from mindfulqalb.catalogue.models import Price, SessionOffer, Therapist


def make_therapist(**overrides: Any) -> Therapist:
    """The practice's therapist, the same at every call."""
    values = {"slug": "practice", "name": "Dr. Asha"} | overrides
    return Therapist.objects.get_or_create(slug=values["slug"], defaults=values)[0]


def make_offer(**overrides: Any) -> SessionOffer:
    """An individual video session, the default of its type, without a price."""
    values: dict[str, Any] = {
        "session_type": "individual",
        "format": "video",
        "title": "Individual session",
        "duration_minutes": 60,
        "is_default": True,
    } | overrides
    values.setdefault("therapist", make_therapist())
    return SessionOffer.objects.create(**values)


def make_price(offer: SessionOffer, currency: str = "INR", amount_minor: int = 129900) -> Price:
    """What an offer costs."""
    return Price.objects.create(offer=offer, currency=currency, amount_minor=amount_minor)
