"""Take an hour of a therapist, so that nobody else can."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection

from bookings.models import Booking
from bookings.refusals import SlotTaken, database_refusals
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

MINUTE = timedelta(minutes=1)
CALENDAR = "vendor:calcom"


def lock_therapists(*therapist_ids: UUID) -> None:
    """Queue up for these therapists' calendars until the transaction ends.

    The exclusion constraint alone is right but slow: fifty parallel inserts deadlock for half a minute. In a fixed
    order, so that two callers with the same therapists never wait for each other.
    """
    keys = sorted({_lock_key(therapist_id) for therapist_id in therapist_ids})
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def claim_slot(booking: Booking, *, now: datetime) -> None:
    """Save a booking that occupies its hour. Raises SlotTaken; call it under the therapist's lock."""
    clear_slot(booking, now=now)
    booking.updated_at = now
    with database_refusals():
        booking.save()


def clear_slot(booking: Booking, *, now: datetime) -> None:
    """Raise SlotTaken where another occupies the hour that a booking, saved or not, wants.

    Overdue holds in the way are let go here: a dead worker must not block a free slot.
    """
    others = Booking.objects.occupying().exclude(id=booking.id)
    in_the_way = others.overlapping(
        therapist_id=booking.therapist_id, starts_at=booking.starts_at, ends_at=booking.occupied_until
    )
    for other in in_the_way.select_for_update(of=("self",)).order_by("id"):
        if other.state != BookingState.HELD or other.hold_expires_at is None or other.hold_expires_at > now:
            raise SlotTaken(fields={"time": ["This time is taken."]})
        expire_hold(other, now=now)


def expire_hold(hold: Booking, *, now: datetime) -> None:
    """Let a locked, overdue hold go."""
    hold.expire()
    _free(hold, "booking.expired", "system", now)


def give_up_hold(hold: Booking, *, actor: str, now: datetime) -> None:
    """Free the slot of a locked hold: its client, or whoever else `actor` names, has chosen something else."""
    hold.cancel()
    _free(hold, "booking.cancelled", actor, now)


def give_up_holds_in_the_way(booking: Booking, *, now: datetime) -> None:
    """Let go of what is only held where the calendar has put a session: what stands in the calendar comes first."""
    holds = Booking.objects.filter(state=BookingState.HELD).exclude(id=booking.id)
    in_the_way = holds.overlapping(
        therapist_id=booking.therapist_id, starts_at=booking.starts_at, ends_at=booking.occupied_until
    )
    for hold in in_the_way.select_for_update(of=("self",)).order_by("id"):
        if hold.held_for_id is None:
            give_up_hold(hold, actor=CALENDAR, now=now)
        else:
            hold.delete()


def make_room(booking: Booking, *, now: datetime) -> None:
    """Shorten the buffers around the time that the calendar has put a session on: the therapist gave them away there.

    Sessions never yield: whether one lies there itself, claim_slot says. Call it under the therapist's lock.
    """
    others = Booking.objects.occupying().exclude(id=booking.id)
    near = others.overlapping(
        therapist_id=booking.therapist_id, starts_at=booking.starts_at, ends_at=booking.occupied_until
    )
    for other in near.select_for_update(of=("self",)).order_by("id"):
        if other.ends_at <= booking.starts_at:
            _shorten_buffer(other, booking.starts_at, now)
        elif booking.ends_at <= other.starts_at:
            booking.buffer_minutes = min(booking.buffer_minutes, (other.starts_at - booking.ends_at) // MINUTE)


def _shorten_buffer(earlier: Booking, until: datetime, now: datetime) -> None:
    earlier.buffer_minutes = (until - earlier.ends_at) // MINUTE
    earlier.save(update_fields=["buffer_minutes"])
    details = {"buffer_minutes": earlier.buffer_minutes}
    record(
        action="booking.buffer_shortened",
        actor=CALENDAR,
        target=f"booking:{earlier.id}",
        now=now,
        details=details,
    )


def _free(hold: Booking, action: str, actor: str, now: datetime) -> None:
    hold.updated_at = now
    hold.save(update_fields=["state", "updated_at"])
    record(action=action, actor=actor, target=f"booking:{hold.id}", now=now)
    # A lane of its own: nothing about the booking has to wait for a gateway that is slow.
    enqueue(topic="payment.abandon", lane=f"{hold.lane}:order", payload={"reference": str(hold.id)}, now=now)


def _lock_key(therapist_id: UUID) -> int:
    digest = hashlib.blake2b(therapist_id.bytes, digest_size=8, person=b"therapist").digest()
    return int.from_bytes(digest, "big", signed=True)
