"""What a calendar that fails in an odd way may not cost: a session, an appointment, or an answer to the client."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache

from bookings.calendars import calendar
from bookings.calendars.base import CalendarBusy, CalendarFault
from bookings.models import Booking
from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.placement import place_in_calendar
from bookings.states import BookingState
from bookings.tests.builders import make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import Settings

    from bookings.tests.visitor import Visitor
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

LATER = timedelta(seconds=31)


def _pending(now: datetime) -> Booking:
    make_catalogue()
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    return book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)


def _place(booking: Booking, now: datetime) -> Booking:
    return place_in_calendar(booking_id=booking.id, timeout=5, now=now)


@pytest.mark.django_db
def test_place_in_calendar_remembers_an_unanswered_call_through_a_definite_no(
    sandbox: SandboxProcess, now: datetime
) -> None:
    """The first call may have written it: the second one's 401 says nothing about that."""
    booking = _pending(now)
    sandbox.fault("calcom", "refuse", "bookings.create")
    with pytest.raises(ProviderError):
        _place(booking, now)
    sandbox.fault("calcom", "status", "bookings.create", status=401)
    with pytest.raises(ProviderError):
        _place(booking, now + LATER)

    booking.refresh_from_db()
    assert booking.calendar_asked_at == now + LATER


@pytest.mark.django_db
def test_place_in_calendar_does_not_lose_its_own_appointment_after_a_definite_no(
    sandbox: SandboxProcess, now: datetime
) -> None:
    """Written, not answered, not found, then a 401: once the key is mended, "taken" may still be our own."""
    booking = _pending(now)
    sandbox.fault("calcom", "refuse", "bookings.create")
    with pytest.raises(ProviderError):
        _place(booking, now)
    sandbox.fault("calcom", "status", "bookings.create", status=401)
    with pytest.raises(ProviderError):
        _place(booking, now + LATER)
    sandbox.fault("calcom", "slot_taken", "bookings.create")

    with pytest.raises(RetryLater):
        _place(booking, now + 2 * LATER)

    assert _place(booking, now + 3 * LATER).state == BookingState.CONFIRMED


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["decline", "cancel"])
def test_place_in_calendar_does_not_ask_again_for_what_a_host_has_given_up(
    change: str, sandbox: SandboxProcess, now: datetime
) -> None:
    sandbox.turn(requiresConfirmation=[103])
    booking = _pending(now)
    with pytest.raises(RetryLater):
        _place(booking, now)
    [asked] = sandbox.state()["calcom"]["bookings"]
    sandbox.change_booking(asked["uid"], change)

    rejected = _place(booking, now + LATER)

    assert (rejected.state, sandbox.calls("calcom.bookings.create")) == (BookingState.REJECTED, 1)
    assert OutboxMessage.objects.filter(topic="email.slot_lost").count() == 1


@pytest.mark.django_db
def test_place_in_calendar_waits_for_a_host_and_asks_once(sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.turn(requiresConfirmation=[103])
    booking = _pending(now)
    for minutes in (0, 5, 10):
        with pytest.raises(RetryLater):
            _place(booking, now + timedelta(minutes=minutes))
    [asked] = sandbox.state()["calcom"]["bookings"]
    sandbox.change_booking(asked["uid"], "confirm")

    confirmed = _place(booking, now + timedelta(minutes=15))

    assert (confirmed.state, confirmed.calcom_booking_id) == (BookingState.CONFIRMED, asked["uid"])
    assert sandbox.calls("calcom.bookings.create") == 1


@pytest.mark.django_db
def test_place_in_calendar_gives_up_a_host_who_has_not_accepted_in_time(sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.turn(requiresConfirmation=[103])
    booking = _pending(now)
    with pytest.raises(RetryLater):
        _place(booking, now)
    Booking.objects.update(starts_at=now - timedelta(minutes=1))

    rejected = _place(booking, now + LATER)

    [asked] = sandbox.state()["calcom"]["bookings"]
    assert (rejected.state, rejected.calcom_booking_id) == (BookingState.REJECTED, asked["uid"])
    assert OutboxMessage.objects.filter(topic="calendar.cancel", state="PENDING").count() == 1


@pytest.mark.django_db
def test_place_in_calendar_believes_a_500_of_busy_hosts_once_the_time_is_off_the_list(
    sandbox: SandboxProcess, now: datetime
) -> None:
    """A team's event type says 500 where another one says taken."""
    booking = _pending(now)
    sandbox.fault("calcom", "bare_500", "bookings.create", times=None)
    with pytest.raises(CalendarFault):
        _place(booking, now)
    with pytest.raises(CalendarFault):
        _place(booking, now + LATER)  # still on the list: their server may be ill, the time is free
    sandbox.turn(availableTo="10:00")

    for attempt in (2, 3):
        with pytest.raises(RetryLater):
            _place(booking, now + attempt * LATER)
    rejected = _place(booking, now + 4 * LATER)

    assert rejected.state == BookingState.REJECTED


@pytest.mark.django_db
@pytest.mark.parametrize("calls", [1, 0])
def test_place_in_calendar_that_was_not_even_asked_need_not_look_first(
    calls: int, sandbox: SandboxProcess, settings: Settings, now: datetime
) -> None:
    """Whether Cal.com refuses the call or our own budget does: nothing was written, so nothing can be found."""
    booking = _pending(now)
    sandbox.fault("calcom", "rate_limited", "bookings.create")
    settings.CALCOM_CALLS_PER_MINUTE = calls
    with pytest.raises(CalendarBusy):
        _place(booking, now)
    booking.refresh_from_db()
    assert booking.calendar_asked_at is None
    sandbox.clear_faults()
    settings.CALCOM_CALLS_PER_MINUTE = 100
    cache.clear()
    calendar.cache_clear()

    assert _place(booking, now + timedelta(seconds=1)).state == BookingState.CONFIRMED


@pytest.mark.parametrize("event_types", [{"individual-video": "abc"}, {"individual-video": "9" * 5_000}])
def test_booking_that_breaks_off_on_its_way_to_the_calendar_is_pending_and_no_error(
    event_types: dict[str, str], visitor: Visitor, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.CALENDAR_REQUEST_DEADLINE = 10
    payment_id = visitor.paid_payment_id()
    settings.CALCOM_EVENT_TYPE_IDS = event_types

    status, answer = visitor.book(payment_id)

    assert (status, answer["status"]) == (202, "pending")
    assert OutboxMessage.objects.filter(state="PENDING", topic="calendar.create").count() == 1
    booking_id = str(Booking.objects.get().id)  # a thread of another test may still speak of its own
    said = [(record.getMessage(), record.exc_info) for record in caplog.records]
    assert [(text, error) for text, error in said if booking_id in text] == [
        (f"calendar attempt for booking {booking_id} broke off: ValueError", None)
    ]


def test_booking_waits_no_longer_for_a_call_that_has_failed(visitor: Visitor, settings: Settings) -> None:
    settings.CALENDAR_REQUEST_DEADLINE = 60
    payment_id = visitor.paid_payment_id()
    visitor.sandbox.fault("calcom", "refuse", "bookings.create")
    begun = monotonic()

    status, _ = visitor.book(payment_id)

    assert (status, monotonic() - begun < 30) == (202, True)


def test_booking_that_broke_off_is_confirmed_once_the_fault_is_mended(
    visitor: Visitor, settings: Settings, now: datetime
) -> None:
    settings.CALENDAR_REQUEST_DEADLINE = 0.3
    right, payment_id = settings.CALCOM_EVENT_TYPE_IDS, visitor.paid_payment_id()
    settings.CALCOM_EVENT_TYPE_IDS = {"individual-video": "abc"}
    visitor.book(payment_id)
    settings.CALCOM_EVENT_TYPE_IDS = right

    confirmed = _place(Booking.objects.get(), now + 2 * LATER)

    assert confirmed.state == BookingState.CONFIRMED
