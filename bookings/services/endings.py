"""Sessions end: they have taken place, or the client did not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from bookings.models import Booking
from bookings.refusals import NotBegun
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

CALENDAR = "vendor:calcom"
# Written back to the calendar; while it waits, what the calendar says of it is old news.
ATTENDANCE = "calendar.attendance"
TOOK_PLACE = (BookingState.CONFIRMED, BookingState.COMPLETED)


def complete_sessions(*, now: datetime, limit: int = 500) -> int:
    """Close the sessions that are over, and return how many; those that somebody is working on wait for next time."""
    with transaction.atomic():
        over = Booking.objects.filter(state=BookingState.CONFIRMED, ends_at__lte=now)
        rows = list(over.select_for_update(skip_locked=True, of=("self",)).order_by("ends_at")[:limit])
        for booking in rows:
            booking.complete()
            _save(booking, "booking.completed", "system", now)
    return len(rows)


def note_absence(*, booking_id: UUID, actor: str, now: datetime) -> Booking:
    """Note that the client did not come, and tell the calendar unless it is the one who says so.

    Heard before, it changes nothing. Raises NotBegun.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        if booking.state == BookingState.NO_SHOW:
            return booking
        if booking.state not in TOOK_PLACE or booking.starts_at > now:
            raise NotBegun
        booking.miss()
        _save(booking, "booking.missed", actor, now)
        if actor != CALENDAR:
            _tell_calendar(booking, now)
    return booking


def note_attendance(*, booking_id: UUID, actor: str, now: datetime) -> Booking:
    """Take back that the client did not come, in the calendar too. Raises NotBegun for anything else."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        if booking.state != BookingState.NO_SHOW:
            raise NotBegun("Only of a session that was marked as missed can that be taken back.")
        booking.complete()
        _save(booking, "booking.completed", actor, now)
        _tell_calendar(booking, now)
    return booking


def _tell_calendar(booking: Booking, now: datetime) -> None:
    enqueue(topic=ATTENDANCE, lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)


def _save(booking: Booking, action: str, actor: str, now: datetime) -> None:
    booking.updated_at = now
    booking.save(update_fields=["state", "updated_at"])
    record(action=action, actor=actor, target=f"booking:{booking.id}", now=now)
