"""Agree with the calendar: the therapist works there, and what stands there is what will happen.

Webhooks hurry this along; the question "what has changed since?" finds what no webhook told of.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import Q

from bookings.calendars import background_calendar
from bookings.calendars.base import AppointmentState
from bookings.models import Booking, CalendarCursor, CalendarFinding, FindingKind
from bookings.refusals import SlotTaken
from bookings.services.endings import ATTENDANCE, CALENDAR, note_absence
from bookings.services.findings import note_conflict, note_missing, note_unknown, settle_findings, settle_missing
from bookings.services.following import GIVEN_UP, follow_appointment
from bookings.services.placement import take_note
from bookings.services.trails import earlier_uids, latest_appointment
from bookings.states import BookingState
from mindfulqalb.outbox.failures import describe
from mindfulqalb.outbox.queries import is_waiting
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from bookings.calendars.base import Appointment

logger = logging.getLogger(__name__)

FIRST_LOOK = timedelta(days=2)
# What was changed before the last look may have become visible after it.
OVERLAP = timedelta(minutes=5)
REVISITED = 5
# These say nothing about the one appointment that was looked at: all of them wait for the next time.
ABOUT_ALL = (ProviderError, OperationalError, InterfaceError)


class Outcome(StrEnum):
    """What came of an appointment that was looked at."""

    AGREED = "agreed"
    FOLLOWED = "followed"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    BROKEN = "broken"


@dataclass(frozen=True)
class Reconciled:
    """What came of an appointment, and the booking that it belongs to, if any."""

    outcome: Outcome | None
    booking: Booking | None


def poll_calendar(*, now: datetime) -> int:
    """Take over what has changed in the calendar since the last time, and return how many appointments that were.

    Raises ProviderError when the calendar does not answer: what was read until then is kept, and the next poll goes on
    from there. An appointment that breaks us is passed over: the changes of all others wait behind it.
    """
    cursor, _ = CalendarCursor.objects.get_or_create(
        name=CalendarCursor.CHANGES, defaults={"changed_until": now - FIRST_LOOK}
    )
    count = 0
    for page in background_calendar().changed_since(cursor.changed_until - OVERLAP):
        for appointment in page:
            _reconcile_guarded(appointment, now)
        count += len(page)
        _advance(page, now)
    CalendarCursor.objects.filter(name=CalendarCursor.CHANGES).update(asked_at=now)
    return count


def reconcile_since(*, since: datetime, now: datetime) -> Iterator[Outcome]:
    """Take over whatever has changed from a moment on, one appointment after the other."""
    for page in background_calendar().changed_since(since):
        for appointment in page:
            yield _reconcile_guarded(appointment, now)


def _reconcile_guarded(appointment: Appointment, now: datetime) -> Outcome:
    """Look at one among many: a fault of ours calls a person, and does not stop the rest."""
    try:
        return reconcile_appointment(appointment=appointment, now=now)
    except ABOUT_ALL:
        raise
    except Exception as fault:  # noqa: BLE001  one row that nobody thought of must not hide all those after it
        _tell_of_fault(f"appointment {appointment.uid}", fault)
    return Outcome.BROKEN


def _tell_of_fault(what: str, fault: Exception) -> None:
    # The message and the traceback's last line may quote personal data.
    logger.error("%s broke the calendar's reconciler: %s", what, describe(fault))


def reconcile_uid(*, uid: str, now: datetime) -> Reconciled:
    """Ask about one appointment, as a webhook suggests, and name its booking; without outcome when nobody knows it."""
    appointment = latest_appointment(uid)
    if appointment is None:
        return Reconciled(None, Booking.objects.filter(calcom_booking_id=uid).first())
    outcome = reconcile_appointment(appointment=appointment, now=now)
    return Reconciled(outcome, _booking_of(appointment))


def reconcile_appointment(*, appointment: Appointment, now: datetime) -> Outcome:
    """Bring a booking to where its appointment stands; an appointment that is nobody's is shown to staff.

    `appointment` may be old news: before anything is changed the calendar is asked what has become of it by now.
    """
    booking = _booking_of(appointment)
    if booking is None:
        return _trace(appointment, now)
    if _agrees(booking, appointment, now):
        settle_findings(booking_id=booking.id, now=now)
        return Outcome.AGREED
    truth = latest_appointment(appointment.uid)
    if truth is None or _agrees(booking, truth, now):
        return Outcome.AGREED
    return _take_over(booking, truth, now)


def revisit_conflicts(*, now: datetime) -> None:
    """Look again at what could not be followed: what lay in the way may have gone. Some at a time, in turn."""
    waiting = CalendarFinding.objects.filter(
        kind=FindingKind.CONFLICT, settled_at=None, booking__state=BookingState.CONFIRMED
    )
    for finding in waiting.order_by("seen_at")[:REVISITED]:
        CalendarFinding.objects.filter(id=finding.id).update(seen_at=now)
        reconcile_uid(uid=finding.calendar_uid, now=now)


def _trace(appointment: Appointment, now: datetime) -> Outcome:
    """Look where an appointment that seems to be nobody's came from, and where it went."""
    truth = latest_appointment(appointment.uid)
    if truth is None:
        return Outcome.AGREED
    booking = _booking_of(truth) or _booking_once_named(earlier_uids(truth))
    if booking is not None:
        return Outcome.AGREED if _agrees(booking, truth, now) else _take_over(booking, truth, now)
    return Outcome.UNKNOWN if note_unknown(appointment=truth, now=now) else Outcome.AGREED


def look_for_missing(*, now: datetime) -> int:
    """Find sessions of ours that the calendar does not have, show them to staff, and return how many they are.

    One that breaks us is passed over, as in poll_calendar.
    """
    end = now + timedelta(days=settings.BOOKING_HORIZON_DAYS + 1)
    standing = {
        item.uid
        for page in background_calendar().starting_between(now, end)
        for item in page
        if item.state == AppointmentState.ACCEPTED
    }
    ours = Booking.objects.filter(state=BookingState.CONFIRMED, starts_at__gt=now, starts_at__lt=end)
    missing = sum(_is_missing_guarded(booking, now) for booking in ours.exclude(calcom_booking_id__in=standing))
    settle_missing(seen_before=now, now=now)
    return missing


def _is_missing_guarded(booking: Booking, now: datetime) -> bool:
    try:
        return _is_missing(booking, now)
    except ABOUT_ALL:
        raise
    except Exception as fault:  # noqa: BLE001  as above
        _tell_of_fault(f"booking {booking.id}", fault)
    return False


def _is_missing(booking: Booking, now: datetime) -> bool:
    """Ask about one that was not on the list: it may have been moved or cancelled, or only just been made."""
    appointment = latest_appointment(booking.calcom_booking_id or "")
    if appointment is not None:
        reconcile_appointment(appointment=appointment, now=now)
        return False
    note_missing(booking=booking, now=now)
    return True


def _advance(page: list[Appointment], now: datetime) -> None:
    """Move the cursor on, and never back, for two pollers may be at it; nor past the present, if the vendor says so."""
    latest = max((min(item.updated_at, now) for item in page if item.updated_at), default=None)
    if latest is not None:
        behind = CalendarCursor.objects.filter(name=CalendarCursor.CHANGES, changed_until__lt=latest)
        behind.update(changed_until=latest)


def _booking_of(appointment: Appointment) -> Booking | None:
    """Find whose appointment it is: by its name, or by the one that it had before it was moved.

    Our own reference counts only where we know no name yet: anybody can write one into a booking of theirs.
    """
    names = [name for name in (appointment.uid, appointment.moved_from, appointment.moved_to) if name]
    known = Booking.objects.select_related("offer")
    if found := known.filter(calcom_booking_id__in=names).first():
        return found
    try:
        reference = UUID(appointment.reference)
    except ValueError:
        return None
    return known.filter(Q(calcom_booking_id=None) | Q(state=BookingState.PENDING), id=reference).first()


def _booking_once_named(uids: Iterable[str]) -> Booking | None:
    found = (Booking.objects.select_related("offer").filter(calcom_booking_id=uid).first() for uid in uids)
    return next((booking for booking in found if booking), None)


def _agrees(booking: Booking, appointment: Appointment, now: datetime) -> bool:
    if appointment.moved_to and appointment.moved_to == booking.calcom_booking_id:
        return True
    if booking.state == BookingState.PENDING:
        return appointment.state == AppointmentState.PENDING
    if booking.state in GIVEN_UP:
        return appointment.state != AppointmentState.ACCEPTED or appointment.starts_at <= now
    is_in_place = (booking.calcom_booking_id, booking.starts_at) == (appointment.uid, appointment.starts_at)
    return is_in_place and not appointment.is_over and not _is_news_of_absence(booking, appointment)


def _is_news_of_absence(booking: Booking, appointment: Appointment) -> bool:
    """Whether the calendar says that the client did not come, and staff have not just taken that back."""
    is_news = appointment.is_client_absent and booking.state != BookingState.NO_SHOW
    return is_news and not is_waiting(lane=booking.lane, topic=ATTENDANCE)


def _take_over(booking: Booking, appointment: Appointment, now: datetime) -> Outcome:
    try:
        if booking.state == BookingState.PENDING:
            take_note(booking, appointment)
        follow_appointment(booking_id=booking.id, known_as=booking.calcom_booking_id, appointment=appointment, now=now)
        if _is_news_of_absence(booking, appointment):
            note_absence(booking_id=booking.id, actor=CALENDAR, now=now)
    except RetryLater:
        return Outcome.AGREED  # a host must still accept it
    except SlotTaken:
        return _conflict(booking, appointment, now)
    booking.refresh_from_db()
    if not _agrees(booking, appointment, now):
        return _conflict(booking, appointment, now)
    settle_findings(booking_id=booking.id, now=now)
    return Outcome.FOLLOWED


def _conflict(booking: Booking, appointment: Appointment, now: datetime) -> Outcome:
    if booking.state in GIVEN_UP:
        return Outcome.FOLLOWED  # it is being taken out of the calendar again
    if appointment.is_over and booking.starts_at <= now:
        return Outcome.FOLLOWED  # it had begun: staff are asked, and nothing is left to agree on
    note_conflict(booking=booking, appointment=appointment, now=now)
    logger.warning("booking %s cannot follow its appointment; staff must look at it", booking.id)
    return Outcome.CONFLICT
