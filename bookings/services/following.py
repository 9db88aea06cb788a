"""Bring a booking to where the calendar says that it is: the calendar is right about what stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from bookings.calendars.base import Appointment, AppointmentState
from bookings.listings import distrust_listings
from bookings.models import Booking
from bookings.practice_time import days_between
from bookings.services.cancellation import EVERYTHING, cancel_by_calendar, percent_back
from bookings.services.endings import CALENDAR
from bookings.services.findings import note_doubt
from bookings.services.hands import Hand, changed_at, hand_that_ended, hand_that_moved
from bookings.services.rescheduling import CLIENT, asked_by, move_of
from bookings.slots import claim_slot, give_up_holds_in_the_way, lock_therapists, make_room
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.catalogue.queries import event_types_of
from mindfulqalb.outbox.queries import is_waiting
from mindfulqalb.outbox.services import enqueue, settle

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

GIVEN_UP = (BookingState.CANCELLED, BookingState.REJECTED)
TOOK_PLACE = (BookingState.COMPLETED, BookingState.NO_SHOW)


def follow_appointment(*, booking_id: UUID, known_as: str | None, appointment: Appointment, now: datetime) -> Booking:
    """Take over what has become of a booking's appointment: moved, cancelled, or standing where we gave it up.

    `known_as` is its name there when the calendar was asked: whoever has followed another change since then knows more
    than this answer. Hearing the same twice changes nothing. Buffers yield to where the therapist has moved it, and
    holds go; raises SlotTaken when another session of ours lies there.
    """
    therapist_id = Booking.objects.values_list("therapist_id", flat=True).get(id=booking_id)
    with transaction.atomic():
        lock_therapists(therapist_id)
        booking = Booking.objects.select_related("offer").select_for_update(of=("self",)).get(id=booking_id)
        if booking.calcom_booking_id not in {known_as, appointment.uid}:
            return booking
        if booking.state == BookingState.CONFIRMED:
            _follow_confirmed(booking, appointment, now)
        elif booking.state in TOOK_PLACE and appointment.is_over:
            note_doubt(booking=booking, appointment=appointment, now=now)
        elif booking.state in GIVEN_UP and appointment.state == AppointmentState.ACCEPTED:
            _take_out_again(booking, appointment, now)
    return booking


def _follow_confirmed(booking: Booking, appointment: Appointment, now: datetime) -> None:
    if appointment.is_over:
        _give_up(booking, appointment, now)
    elif appointment.state == AppointmentState.ACCEPTED and _differs(booking, appointment):
        _move(booking, appointment, now)


def _give_up(booking: Booking, appointment: Appointment, now: datetime) -> None:
    """Follow what was given up before it began. Afterwards nothing follows by itself: it may well have taken place."""
    hand, at = hand_that_ended(appointment, booking), changed_at(appointment, now=now)
    if booking.starts_at <= at:
        note_doubt(booking=booking, appointment=appointment, now=now)
        return
    if hand == Hand.UNKNOWN and percent_back(booking, at=at) < EVERYTHING:
        note_doubt(booking=booking, appointment=appointment, now=now)
    cancel_by_calendar(booking_id=booking.id, hand=hand, at=at, now=now)
    booking.refresh_from_db()


def _differs(booking: Booking, appointment: Appointment) -> bool:
    return (booking.calcom_booking_id, booking.starts_at) != (appointment.uid, appointment.starts_at)


def _move(booking: Booking, appointment: Appointment, now: datetime) -> None:
    """Take over the new time; the hold that the client had on it, or on another one, has served its purpose."""
    before = booking.starts_at
    hold = move_of(booking)
    is_ours = hold is not None and hold.starts_at == appointment.starts_at
    actor = asked_by(booking) if is_ours else CALENDAR
    if not is_ours and before != appointment.starts_at:
        _bound_refund(booking, appointment, now)
    if hold is not None:
        hold.delete()
    booking.move(starts_at=appointment.starts_at, calendar_uid=appointment.uid)
    booking.moves += actor == CLIENT
    booking.buffer_minutes = booking.offer.buffer_minutes
    make_room(booking, now=now)
    give_up_holds_in_the_way(booking, now=now)
    claim_slot(booking, now=now)
    settle(lane=booking.lane, topic="calendar.move", now=now)
    record(
        action="booking.moved",
        actor=actor,
        target=f"booking:{booking.id}",
        now=now,
        details={"from": before.isoformat(), "to": booking.starts_at.isoformat()},
    )
    if before != booking.starts_at:
        enqueue(topic="email.moved", lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)
    event_types = event_types_of(booking.therapist_id)
    length = booking.ends_at - booking.starts_at
    days = (*days_between(before, before + length), *days_between(booking.starts_at, booking.ends_at))
    transaction.on_commit(lambda: distrust_listings(*event_types, now=now, days=days), robust=True)


def _bound_refund(booking: Booking, appointment: Appointment, now: datetime) -> None:
    """Keep what could be had back when somebody but a host moved it so late that not all could."""
    hand = hand_that_moved(appointment, booking)
    percent = percent_back(booking, at=changed_at(appointment, now=now))
    if hand == Hand.HOST or percent == EVERYTHING:
        return
    booking.refund_percent_at_most = percent
    if hand == Hand.UNKNOWN:
        note_doubt(booking=booking, appointment=appointment, now=now)


def _take_out_again(booking: Booking, appointment: Appointment, now: datetime) -> None:
    """It was given up here while the calendar was at it: keep its name there, and have it taken out."""
    booking.calcom_booking_id = appointment.uid
    booking.save(update_fields=["calcom_booking_id"])
    if not is_waiting(lane=booking.lane, topic="calendar.cancel"):
        enqueue(topic="calendar.cancel", lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)
