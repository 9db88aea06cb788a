"""Ask for another time. The session keeps its old one until the calendar has taken the new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from bookings.availability import require_offered
from bookings.models import Booking
from bookings.practice_time import local
from bookings.refusals import MoveUnderWay, NotMovable
from bookings.slots import claim_slot, lock_therapists
from bookings.states import BookingState
from bookings.wishes import require_bookable_time
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


CLIENT = "client"
REQUESTED = "booking.move_requested"


@dataclass(frozen=True)
class MoveTerms:
    """What the client may still do: so many moves, until then."""

    until: datetime
    moves_left: int


@dataclass(frozen=True)
class NotMovableAnyMore:
    """Why the client may no longer move what could be moved: so late, or so often."""

    until: datetime
    is_used_up: bool


def move_terms(booking: Booking, *, now: datetime) -> MoveTerms | None:
    """Say how often and until when the client may move a session by themselves; None when they may not."""
    until = _last_moment(booking, booking.starts_at)
    moves_left = booking.offer.moves_allowed - booking.moves
    if booking.state != BookingState.CONFIRMED or moves_left <= 0 or now > until or booking.starts_at <= now:
        return None
    return MoveTerms(until, moves_left)


def why_not_movable(booking: Booking, *, now: datetime) -> NotMovableAnyMore | None:
    """Say why a standing session cannot be moved any more; None where it can, or where only the practice moves it."""
    allowed = booking.offer.moves_allowed
    if booking.state != BookingState.CONFIRMED or not allowed or move_terms(booking, now=now) is not None:
        return None
    return NotMovableAnyMore(_last_moment(booking, booking.starts_at), is_used_up=booking.moves >= allowed)


def could_move_again_from(booking: Booking, *, starts_at: datetime, now: datetime) -> bool:
    """Tell whether, once moved there, it may be moved again: not too often by then, and not too near."""
    return booking.offer.moves_allowed - booking.moves > 1 and now <= _last_moment(booking, starts_at)


def _last_moment(booking: Booking, starts_at: datetime) -> datetime:
    return starts_at - timedelta(hours=booking.offer.move_notice_hours)


def move_of(booking: Booking) -> Booking | None:
    """Find the hold on the time to which a session is being moved; one that was let go keeps no time any more."""
    return Booking.objects.filter(held_for=booking.id, state=BookingState.HELD).first()


def may_be_moved(booking: Booking, *, actor: str, now: datetime) -> bool:
    """Whether they may move it: clients within their terms, the practice whatever stands and is still to come."""
    if actor == CLIENT:
        return move_terms(booking, now=now) is not None
    return booking.state == BookingState.CONFIRMED and booking.starts_at > now


def asked_by(booking: Booking) -> str:
    """Name who asked last for another time."""
    asked = AuditEvent.objects.filter(target=f"booking:{booking.id}", action=REQUESTED).order_by("-occurred_at")
    return asked.values_list("actor", flat=True).first() or CLIENT


def request_move(*, booking_id: UUID, starts_at: datetime, now: datetime, actor: str = CLIENT) -> Booking:
    """Keep another time for a session, with the calendar call in the outbox; nothing is given up yet.

    Repeating it for the same time changes nothing. Raises NotMovable, MoveUnderWay, SlotNotOffered, SlotTaken, or
    ProviderError when nobody knows which times are free.
    """
    booking = Booking.objects.select_related("offer").get(id=booking_id)
    if booking.starts_at == starts_at or _is_moving_there(booking, starts_at):
        return booking
    if not may_be_moved(booking, actor=actor, now=now):
        raise NotMovable
    require_bookable_time(starts_at, now)
    require_offered(offer=booking.offer, starts_at=starts_at, now=now)
    with transaction.atomic():
        lock_therapists(booking.therapist_id)
        return _keep_under_lock(booking_id, starts_at, actor, now)


def _is_moving_there(booking: Booking, starts_at: datetime) -> bool:
    """Tell whether this very move is under way. Raises MoveUnderWay when it goes elsewhere."""
    hold = move_of(booking)
    if hold is not None and hold.starts_at != starts_at:
        raise MoveUnderWay
    return hold is not None


def _keep_under_lock(booking_id: UUID, starts_at: datetime, actor: str, now: datetime) -> Booking:
    booking = Booking.objects.select_related("offer").select_for_update(of=("self",)).get(id=booking_id)
    # Whoever was faster has committed by now.
    if booking.starts_at == starts_at or _is_moving_there(booking, starts_at):
        return booking
    if not may_be_moved(booking, actor=actor, now=now):
        raise NotMovable
    # A hold that ran out while the calendar was silent must not stand in the way of the next one.
    Booking.objects.filter(held_for=booking.id).delete()
    claim_slot(_hold_for(booking, starts_at, now), now=now)
    record(
        action=REQUESTED,
        actor=actor,
        target=f"booking:{booking.id}",
        now=now,
        details={"from": booking.starts_at.isoformat(), "to": starts_at.isoformat()},
    )
    # The caller tries at once; if it does not live to see the answer, the worker looks and, if need be, moves.
    enqueue(
        topic="calendar.move",
        lane=booking.lane,
        payload={"booking_id": str(booking.id)},
        now=now,
        due_at=now + timedelta(seconds=settings.CALENDAR_TAKEOVER_SECONDS),
    )
    return booking


def _hold_for(booking: Booking, starts_at: datetime, now: datetime) -> Booking:
    """Make the row that keeps the new time: it says whose it will be, and knows no person itself."""
    ends_at = starts_at + (booking.ends_at - booking.starts_at)
    return Booking(
        held_for=booking,
        state=BookingState.HELD,
        # Until the calendar has answered it must not run out: it may have said yes, and nobody heard.
        hold_expires_at=ends_at,
        therapist_id=booking.therapist_id,
        offer=booking.offer,
        session_type=booking.session_type,
        session_format=booking.session_format,
        starts_at=starts_at,
        ends_at=ends_at,
        buffer_minutes=booking.offer.buffer_minutes,
        session_date=local(starts_at).date(),
        session_time=local(starts_at).time(),
        customer_name="",
        customer_email="",
        customer_email_hash="",
        payment_status="not_required",
        created_at=now,
    )
