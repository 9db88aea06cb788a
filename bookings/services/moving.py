"""Carry a move out in the calendar, once, whatever gets lost on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bookings.calendars import calendar
from bookings.calendars.base import NOT_CARRIED_OUT, AlreadyGone, Appointment, AppointmentState
from bookings.models import Booking
from bookings.refusals import NotMoved, SlotTaken
from bookings.services.findings import note_conflict
from bookings.services.following import follow_appointment
from bookings.services.placement import BELIEVED_AFTER, LOOK_AGAIN, NEWS_DELAY, UNDECIDED_WAIT
from bookings.services.rescheduling import CLIENT, asked_by, move_of, request_move
from bookings.services.trails import latest_appointment
from bookings.services.waiting import wait_for_calendar
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.outbox.services import enqueue, settle
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def move_in_calendar(*, booking_id: UUID, timeout: float, now: datetime) -> Booking:
    """Move a session in the calendar to the time that is held for it, and write down what came of it.

    May be called by a request and by the worker at once, and again after a crash anywhere: one appointment can be
    moved only once, and whoever finds a note that it was asked for looks first. Refused, the session stays where it
    is. Raises RetryLater while an answer may still come, and ProviderError when the calendar did not answer.
    """
    booking, hold, asked_before = _note_asking(booking_id, now)
    if hold is None:
        return booking
    if asked_before and (found := _moved_already(booking)):
        return _take_note(booking, found)
    try:
        appointment = calendar().move(
            booking.calcom_booking_id or "", starts_at=hold.starts_at, reason="Moved by the client", timeout=timeout
        )
    except AlreadyGone:
        return _follow_others(booking)
    except ProviderError as error:
        if isinstance(error, NOT_CARRIED_OUT) and asked_before is None:
            _note_not_asked(hold)
        if not error.permanent:
            raise
        return _refuse(booking, was_unanswered=asked_before is not None)
    return _take_note(booking, appointment)


def reschedule_session(
    *, booking_id: UUID, starts_at: datetime, deadline: float, now: datetime, actor: str = CLIENT
) -> Booking:
    """Move a session for the holder of its link, or for staff, waiting at most `deadline` seconds for the calendar.

    Returns it at the new time or, where the calendar takes longer, at the old one with the move under way. Raises what
    request_move raises, and NotMoved when the calendar will not have it.
    """
    request_move(booking_id=booking_id, starts_at=starts_at, actor=actor, now=now)
    booking = move_while_waited_for(booking_id=booking_id, deadline=deadline)
    if booking.state == BookingState.CONFIRMED and booking.starts_at != starts_at and move_of(booking) is None:
        raise NotMoved
    return booking


def move_while_waited_for(*, booking_id: UUID, deadline: float) -> Booking:
    """Try the calendar for at most `deadline` seconds in total, and return the session as it stands then."""
    wait_for_calendar(
        lambda: move_in_calendar(booking_id=booking_id, timeout=settings.CALENDAR_REQUEST_DEADLINE, now=timezone.now()),
        booking_id=booking_id,
        is_being_asked=Booking.objects.filter(held_for=booking_id, calendar_asked_at__isnull=False).exists,
        deadline=deadline,
    )
    return Booking.objects.select_related("offer", "payment").get(id=booking_id)


def _note_asking(booking_id: UUID, now: datetime) -> tuple[Booking, Booking | None, datetime | None]:
    """Write down that the calendar is being asked, and return since when it was, if ever, without an answer."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        hold = move_of(booking)
        if hold is None or booking.state != BookingState.CONFIRMED:
            return booking, None, None
        asked_before = hold.calendar_asked_at
        if asked_before and (passed := now - asked_before) < LOOK_AGAIN:
            raise RetryLater(LOOK_AGAIN - max(passed, timedelta(0)))
        hold.calendar_asked_at = now
        hold.save(update_fields=["calendar_asked_at"])
    return booking, hold, asked_before


def _note_not_asked(hold: Booking) -> None:
    Booking.objects.filter(id=hold.id).update(calendar_asked_at=None)


def _moved_already(booking: Booking) -> Appointment | None:
    """Find what an unanswered call may have done."""
    found = latest_appointment(booking.calcom_booking_id or "", asking=calendar())
    return found if found and (found.is_over or found.uid != booking.calcom_booking_id) else None


def _take_note(booking: Booking, appointment: Appointment) -> Booking:
    """Take the new time over, or go on waiting for a host who must still accept.

    Where the calendar has put it onto another session, no further try helps: staff must look, and the hold goes.
    """
    if appointment.state == AppointmentState.PENDING:
        raise RetryLater(UNDECIDED_WAIT)
    now = timezone.now()
    try:
        return follow_appointment(
            booking_id=booking.id, known_as=booking.calcom_booking_id, appointment=appointment, now=now
        )
    except SlotTaken:
        note_conflict(booking=booking, appointment=appointment, now=now)
        return give_up_move(booking_id=booking.id, now=now)


def _follow_others(booking: Booking) -> Booking:
    """Somebody else has moved or cancelled it in the calendar, or an earlier call of ours has."""
    found = _moved_already(booking)
    return _take_note(booking, found) if found else _refuse(booking, was_unanswered=False)


def _refuse(booking: Booking, *, was_unanswered: bool) -> Booking:
    """Let the new time go. After an unanswered call "taken" may be our own move: it is believed when seen often."""
    now = timezone.now()
    with transaction.atomic():
        locked = Booking.objects.locked(booking.id)
        hold = move_of(locked)
        if hold is None:
            return locked
        hold.calendar_refusals += 1
        is_believed = not was_unanswered or hold.calendar_refusals >= BELIEVED_AFTER
        if is_believed:
            _let_go(locked, hold, now)
        else:
            hold.save(update_fields=["calendar_refusals"])
    if not is_believed:
        raise RetryLater(LOOK_AGAIN)
    return locked


def give_up_move(*, booking_id: UUID, now: datetime, was_silent: bool = False) -> Booking:
    """Let the new time of a session go, and have the client told that the old one stays; none held changes nothing.

    Should the calendar have moved it all the same, the next poll finds it there, and follows. `was_silent` says that it
    never answered: staff hear of it too.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        hold = move_of(booking)
        if hold is not None:
            _release(booking, hold, "booking.move_given_up", now, was_silent=was_silent)
            if was_silent:
                payload = {"booking_id": str(booking.id)}
                enqueue(topic="email.not_moved.staff", lane=f"{booking.lane}:staff", payload=payload, now=now)
    return booking


def _let_go(booking: Booking, hold: Booking, now: datetime) -> None:
    settle(lane=booking.lane, topic="calendar.move", now=now)
    _release(booking, hold, "booking.move_refused", now)


def _release(booking: Booking, hold: Booking, action: str, now: datetime, *, was_silent: bool = False) -> None:
    details = {"to": hold.starts_at.isoformat()}
    hold.delete()
    record(action=action, actor="vendor:calcom", target=f"booking:{booking.id}", now=now, details=details)
    if asked_by(booking) != CLIENT:
        return  # the client has heard of no move, and the session's story tells staff
    # In a request somebody waits, and chooses again: only who does not should hear that all is as before.
    enqueue(
        topic="email.not_moved",
        lane=f"{booking.lane}:news",
        payload={"booking_id": str(booking.id), "sequence": booking.sequence, "was_silent": was_silent},
        now=now,
        due_at=now + NEWS_DELAY,
    )
