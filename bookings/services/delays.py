"""Tell clients whose session is not in the calendar yet that it takes longer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from bookings.models import Booking
from bookings.states import BookingState
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

# Somebody who has paid and hears nothing pays again; whoever booked a free call does not know whether it stands.
PATIENCE = timedelta(minutes=1)


def tell_of_delays(*, now: datetime) -> int:
    """Have clients told once whose sessions have waited for the calendar for a minute; return how many."""
    waiting = Booking.objects.filter(state=BookingState.PENDING, delay_told_at=None, updated_at__lte=now - PATIENCE)
    return sum(_tell(booking_id, now) for booking_id in waiting.values_list("id", flat=True))


def _tell(booking_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        if booking.state != BookingState.PENDING or booking.delay_told_at is not None:
            return False
        booking.delay_told_at = now
        booking.save(update_fields=["delay_told_at"])
        payload = {"booking_id": str(booking.id)}
        enqueue(topic="email.pending", lane=f"{booking.lane}:news", payload=payload, now=now)
    return True
