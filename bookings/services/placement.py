"""Write a booking into the calendar, once, whatever gets lost on the way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bookings.calendars import calendar
from bookings.calendars.base import (
    NOT_CARRIED_OUT,
    Appointment,
    AppointmentRequest,
    AppointmentState,
    CalendarFault,
    SlotRefused,
)
from bookings.listings import distrust_listings
from bookings.models import Booking
from bookings.practice_time import days_between
from bookings.services.endings import CALENDAR
from bookings.services.waiting import wait_for_calendar
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.catalogue.queries import event_type_of, event_types_of
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.outbox.services import enqueue, settle
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from uuid import UUID

# An unanswered call may still be at work on their side: not found proves nothing before this.
LOOK_AGAIN = timedelta(seconds=settings.CALENDAR_LOOK_AGAIN_SECONDS)
# "Taken" after an unanswered call may be our own appointment; it is believed when it was not found this often.
BELIEVED_AFTER = 3
UNDECIDED_WAIT = timedelta(minutes=5)
# In a request somebody waits; a client who is gone should hear of a lost slot only when they have not chosen again.
NEWS_DELAY = timedelta(minutes=10)


def place_in_calendar(*, booking_id: UUID, timeout: float, now: datetime) -> Booking:
    """Bring a PENDING booking into the calendar and write down what came of it: CONFIRMED or REJECTED.

    May be called by a request and by the worker at once, and again after a crash anywhere: it notes that it asks
    before it asks, and whoever finds such a note looks before asking again. Raises RetryLater while an answer may
    still come, and ProviderError when the calendar did not answer.
    """
    booking, asked_before = _note_asking(booking_id, now)
    if booking.state != BookingState.PENDING:
        return booking
    request = appointment_request(booking)
    if asked_before and (found := calendar().find(request)):
        return take_note(booking, found)
    try:
        appointment = calendar().book(request, timeout=timeout)
    except SlotRefused:
        return _refuse(booking, was_unanswered=asked_before is not None)
    except CalendarFault:
        # Busy hosts of a team event are no refusal to Cal.com but a failure: the list of free times tells them apart.
        if asked_before is None or _is_listed(request):
            raise
        return _refuse(booking, was_unanswered=True)
    except ProviderError as error:
        # An earlier call that was never answered stays unanswered, whatever this one was told.
        if (error.permanent or isinstance(error, NOT_CARRIED_OUT)) and asked_before is None:
            _note_answered(booking)
        raise
    return take_note(booking, appointment)


def place_while_waited_for(*, booking_id: UUID, deadline: float) -> Booking:
    """Try the calendar for at most `deadline` seconds in total, and return the booking as it stands then."""
    being_asked = Booking.objects.filter(id=booking_id, state=BookingState.PENDING, calendar_asked_at__isnull=False)
    wait_for_calendar(
        lambda: place_in_calendar(
            booking_id=booking_id, timeout=settings.CALENDAR_REQUEST_DEADLINE, now=timezone.now()
        ),
        booking_id=booking_id,
        is_being_asked=being_asked.exists,
        deadline=deadline,
    )
    return Booking.objects.get(id=booking_id)


def _note_asking(booking_id: UUID, now: datetime) -> tuple[Booking, datetime | None]:
    """Write down that the calendar is being asked, and return since when it was, if ever, without an answer."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        asked_before = booking.calendar_asked_at
        if booking.state != BookingState.PENDING:
            return booking, asked_before
        if asked_before and (passed := now - asked_before) < LOOK_AGAIN:
            raise RetryLater(LOOK_AGAIN - max(passed, timedelta(0)))
        booking.calendar_asked_at = now
        booking.save(update_fields=["calendar_asked_at"])
    return booking, asked_before


def _is_listed(request: AppointmentRequest) -> bool:
    after = request.starts_at + timedelta(minutes=1)
    return bool(calendar().free_slots(event_type=request.event_type, start=request.starts_at, end=after))


def _note_answered(booking: Booking) -> None:
    """Take the note back: the calendar has said no to the request itself, so nothing was written."""
    Booking.objects.filter(id=booking.id, state=BookingState.PENDING).update(calendar_asked_at=None)


def appointment_request(booking: Booking) -> AppointmentRequest:
    """What is written into the calendar for a booking, and by which it is found there again."""
    return AppointmentRequest(
        reference=str(booking.id),
        event_type=event_type_of(booking.offer),
        starts_at=booking.starts_at,
        name=booking.customer_name,
        email=booking.customer_email,
        phone=booking.customer_phone,
        time_zone=settings.PRACTICE_TIME_ZONE,
        locale=booking.locale,
        # Not the last time we asked: an answer may have been lost many attempts ago, and a cancellation come since.
        asked_since=booking.created_at or booking.starts_at - timedelta(days=settings.BOOKING_HORIZON_DAYS),
    )


def take_note(booking: Booking, appointment: Appointment) -> Booking:
    """Confirm, or raise RetryLater to wait for a host who must still accept.

    What a host has given up is not asked for again.
    """
    now = timezone.now()
    if appointment.is_over:
        return _refuse(booking, was_unanswered=False)
    if appointment.state == AppointmentState.PENDING:
        if booking.starts_at > now:
            raise RetryLater(UNDECIDED_WAIT)
        _refuse(booking, was_unanswered=False)  # nobody has accepted in time: below it is taken out again
    with transaction.atomic():
        locked = Booking.objects.locked(booking.id)
        if locked.state in {BookingState.CANCELLED, BookingState.REJECTED}:
            return _leave_to_cancel(locked, appointment, now)
        if locked.state != BookingState.PENDING:
            return locked
        locked.confirm(calendar_uid=appointment.uid)
        _finish(locked, "booking.confirmed", CALENDAR, now)
        enqueue(topic="email.confirmation", lane=locked.lane, payload={"booking_id": str(locked.id)}, now=now)
    return locked


def _leave_to_cancel(booking: Booking, appointment: Appointment, now: datetime) -> Booking:
    """It was given up while the calendar was writing: keep its name there, and have it taken out again."""
    booking.calcom_booking_id = appointment.uid
    booking.save(update_fields=["calcom_booking_id"])
    enqueue(topic="calendar.cancel", lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)
    return booking


def _refuse(booking: Booking, *, was_unanswered: bool) -> Booking:
    now = timezone.now()
    with transaction.atomic():
        locked = Booking.objects.locked(booking.id)
        if locked.state != BookingState.PENDING:
            return locked
        locked.calendar_refusals += 1
        if was_unanswered and locked.calendar_refusals < BELIEVED_AFTER:
            locked.save(update_fields=["calendar_refusals"])
            undecided = True
        else:
            undecided = False
            reject(locked, CALENDAR, now)
    if undecided:
        raise RetryLater(LOOK_AGAIN)
    return locked


def reject(booking: Booking, actor: str, now: datetime) -> None:
    """Free the money of a locked booking that has no place in the calendar, and have its client told."""
    booking.reject()
    _finish(booking, "booking.rejected", actor, now)
    # Whoever was told that the time is theirs hears that it is not, also where no money waits.
    paid_with = {"payment_id": str(booking.payment.id)} if booking.payment else {}
    enqueue(
        topic="email.slot_lost",
        lane=f"{booking.lane}:news",
        payload={"booking_id": str(booking.id), **paid_with},
        now=now,
        due_at=now + NEWS_DELAY,
    )


def _finish(booking: Booking, action: str, actor: str, now: datetime) -> None:
    booking.updated_at = now
    booking.save()
    settle(lane=booking.lane, topic="calendar.create", now=now)
    record(action=action, actor=actor, target=f"booking:{booking.id}", now=now)
    event_types = event_types_of(booking.therapist_id)
    days = days_between(booking.starts_at, booking.ends_at)
    transaction.on_commit(lambda: distrust_listings(*event_types, now=now, days=days), robust=True)
