"""How many hours one person, or one network, may keep unpaid or have for nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Count, Q
from django.utils.crypto import salted_hmac

from bookings.models import Booking
from bookings.refusals import TooManyFreeCalls, TooManyHolds
from bookings.states import BookingState
from mindfulqalb.api.addresses import ClientAddress
from mindfulqalb.catalogue.models import SessionType

if TYPE_CHECKING:
    from datetime import datetime

    from consent.evidence import Circumstances

# Longer, and a town behind one address would have used up its free calls for weeks.
FREE_CALLS_COUNT_FOR = timedelta(days=1)


def network_digest(circumstances: Circumstances) -> str:
    """Digest the network that a client comes from, as throttles count it: of an IPv6 address its /64."""
    network = ClientAddress(circumstances.address, circumstances.address_source).network
    return salted_hmac("bookings.held_from", network, algorithm="sha256").hexdigest()


def bound_holds(booking: Booking, *, now: datetime) -> None:
    """Raise TooManyHolds for a hold more than its email or its network may keep."""
    live = Booking.objects.filter(state=BookingState.HELD, hold_expires_at__gt=now)
    of_email = Q(customer_email_hash=booking.customer_email_hash)
    from_here = Q(held_from=booking.held_from)
    bounds = (
        # An email may be anybody's who knows it: from elsewhere they must not use up its owner's share.
        (of_email & from_here, settings.HOLDS_PER_EMAIL),
        (of_email, settings.HOLDS_PER_EMAIL_ANYWHERE),
        # Whole towns share one address behind a mobile carrier, so it may keep more than a person may.
        (from_here, settings.HOLDS_PER_ADDRESS),
    )
    counts = live.aggregate(
        **{f"count{number}": Count("id", filter=counted) for number, (counted, _) in enumerate(bounds)}
    )
    if any(counts[f"count{number}"] >= bound for number, (_, bound) in enumerate(bounds)):
        raise TooManyHolds(retry_after=timedelta(minutes=settings.HOLD_MINUTES))


def bound_free_calls(booking: Booking, *, now: datetime) -> None:
    """Raise TooManyFreeCalls when a free call is one more than its network may have booked within a day.

    Those that were cancelled since count too: each has taken an hour, and mailed somebody. Call it under the
    therapist's lock.
    """
    if booking.session_type != SessionType.FREE:
        return
    reached_the_calendar = Q(state=BookingState.PENDING) | Q(calcom_booking_id__isnull=False)
    since = now - FREE_CALLS_COUNT_FOR
    booked = Booking.objects.filter(
        reached_the_calendar, session_type=SessionType.FREE, held_from=booking.held_from, created_at__gt=since
    ).exclude(id=booking.id)
    times = list(booked.order_by("-created_at").values_list("created_at", flat=True)[: settings.FREE_CALLS_PER_ADDRESS])
    if len(times) >= settings.FREE_CALLS_PER_ADDRESS:
        raise TooManyFreeCalls(retry_after=(times[-1] or now) - since)
