"""Make the row of a booking from a client's wish."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bookings.models import Booking
from bookings.practice_time import local
from mindfulqalb.encryption.blind_index import email_digest, phone_digest

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.states import BookingState
    from bookings.wishes import Wish
    from consent.models import ConsentRecord
    from mindfulqalb.catalogue.models import SessionOffer


def draft_booking(
    *, wish: Wish, offer: SessionOffer, consent: ConsentRecord, state: BookingState, now: datetime
) -> Booking:
    """Make an unsaved booking; what it costs and how long it takes come from the offer alone."""
    starts_at = wish.starts_at
    return Booking(
        state=state,
        therapist=offer.therapist,
        offer=offer,
        session_type=offer.session_type,
        session_format=offer.format,
        session_date=local(starts_at).date(),
        session_time=local(starts_at).time(),
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=offer.duration_minutes),
        buffer_minutes=offer.buffer_minutes,
        customer_name=wish.customer.name,
        customer_email=wish.customer.email,
        customer_phone=wish.customer.phone,
        customer_email_hash=email_digest(wish.customer.email),
        customer_phone_hash=phone_digest(wish.customer.phone),
        consent=consent,
        consent_named=wish.consent_id is not None,
        payment_status="not_required" if offer.is_free else "unpaid",
        locale=wish.circumstances.locale,
        time_zone=wish.time_zone,
        created_at=now,
        updated_at=now,
    )
