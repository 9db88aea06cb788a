"""Plain builders: each makes one valid thing, and takes what a test is about as an override."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from bookings.practice_time import instant_of, local
from bookings.services.drafts import draft_booking
from bookings.states import BookingState
from bookings.wishes import Customer, Wish
from consent.evidence import Circumstances
from consent.publishing import publish_shipped_document
from consent.services import record_consent
from mindfulqalb.catalogue.queries import find_offer
from mindfulqalb.catalogue.services import load_default_catalogue
from payments.models import Payment
from payments.states import PaymentState

if TYPE_CHECKING:
    from bookings.models import Booking
    from mindfulqalb.catalogue.models import SessionOffer

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
JANE = Customer(name="Jane Doe", email="jane@example.com", phone="+919876543210")
JOHN = Customer(name="John Roe", email="john@example.com", phone=None)
_numbers = itertools.count(1)


def make_catalogue() -> None:
    """Load what is sold and the consent text."""
    load_default_catalogue(therapist_name="Dr. Asha")
    publish_shipped_document(now=NOW - timedelta(days=500))


def make_offer(code: str = "individual-video") -> SessionOffer:
    """Find an offer, loading the catalogue where a test has not."""
    make_catalogue()
    return find_offer(session_type=code)


def make_wish(**overrides: Any) -> Wish:
    """Jane's wish for an individual video session at ten, three days after NOW."""
    values: dict[str, Any] = {
        "session_type": "individual",
        "session_format": "video",
        "day": date(2026, 12, 4),
        "clock": time(10, 0),
        "customer": JANE,
        "consent_id": None,
        "consent_accepted": True,
        "circumstances": Circumstances(address="203.0.113.7", address_source="peer"),
    }
    return Wish(**(values | overrides))


def agreed(wish: Wish) -> Wish:
    """A wish that names its consent, given today, as our page's do."""
    consent = record_consent(
        session_type=wish.session_type,
        email=wish.customer.email,
        version="2024-01-15",
        acknowledgments=["item1", "item2", "item3"],
        circumstances=wish.circumstances,
        now=datetime.now(UTC),
    )
    return replace(wish, consent_id=consent.id)


def make_payment(**overrides: Any) -> Payment:
    """A captured payment of an individual video session."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "gateway": "razorpay",
        "state": PaymentState.CAPTURED,
        "item": "individual-video",
        "amount_minor": 129900,
        "currency": "INR",
        "provider_order_id": f"order_{number:014d}",
        "provider_payment_id": f"pay_{number:014d}",
        "captured_amount_minor": 129900,
        "captured_currency": "INR",
        "captured_at": NOW,
        "expires_at": NOW + timedelta(minutes=15),
    }
    return Payment.objects.create(**(values | overrides))


def make_booking(*, wish: Wish | None = None, **overrides: Any) -> Booking:
    """A saved booking in any state; HELD unless told otherwise."""
    wish = wish or make_wish()
    offer = make_offer(f"{wish.session_type}-{wish.session_format}" if wish.session_format else wish.session_type)
    consent = record_consent(
        session_type=offer.session_type,
        email=wish.customer.email,
        version="2024-01-15",
        acknowledgments=["item1", "item2", "item3"],
        circumstances=wish.circumstances,
        now=NOW,
    )
    booking = draft_booking(wish=wish, offer=offer, consent=consent, state=BookingState.HELD, now=NOW)
    booking.hold_expires_at = NOW + timedelta(minutes=15)
    booking.consent_named = True  # as our page does
    for name, value in overrides.items():
        setattr(booking, name, value)
    booking.save()
    return booking


def make_upcoming(state: BookingState = BookingState.CONFIRMED, *, hour: int = 10, **overrides: Any) -> Booking:
    """A saved booking three days from the real now, for what reads the clock itself; in the calendar if it must be."""
    slot = local(next_slot(hour))
    wish = overrides.pop("wish", None) or make_wish(day=slot.date(), clock=slot.time())
    in_calendar = state in {BookingState.CONFIRMED, BookingState.COMPLETED, BookingState.NO_SHOW}
    uid = f"uid{next(_numbers)}" if in_calendar else None
    ends = datetime.now(UTC) + timedelta(minutes=15)
    return make_booking(wish=wish, **({"state": state, "calcom_booking_id": uid, "hold_expires_at": ends} | overrides))


def next_slot(hour: int = 10, *, days: int = 3) -> datetime:
    """A time that the sandbox's calendar offers: on the hour, `days` days from the real now."""
    return instant_of((local(datetime.now(UTC)) + timedelta(days=days)).date(), time(hour, 0))
