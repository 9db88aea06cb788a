from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.calendars import calendar
from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.placement import place_in_calendar, place_while_waited_for
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from pytest_django import Settings

    from bookings.models import Booking
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

LATER = timedelta(seconds=31)


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _pending(now: datetime) -> Booking:
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    return book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)


def _place(booking: Booking, now: datetime) -> Booking:
    return place_in_calendar(booking_id=booking.id, timeout=5, now=now)


def _appointments(sandbox: SandboxProcess) -> list[tuple[str, str]]:
    return [(item["uid"], item["status"]) for item in sandbox.state()["calcom"]["bookings"]]


def _pending_topics() -> list[str]:
    return sorted(OutboxMessage.objects.filter(state="PENDING").values_list("topic", flat=True))


def test_place_in_calendar_confirms_with_the_calendars_uid(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _place(_pending(now), now)

    booking.refresh_from_db()
    assert (booking.state, booking.calendar_asked_at) == (BookingState.CONFIRMED, None)
    assert _appointments(sandbox) == [(booking.calcom_booking_id, "accepted")]


def test_place_in_calendar_settles_the_worker_and_sends_the_mail(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _place(_pending(now), now)

    assert _pending_topics() == ["email.confirmation"]
    assert AuditEvent.objects.filter(action="booking.confirmed", target=f"booking:{booking.id}").count() == 1


def test_place_in_calendar_twice_books_once(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _pending(now)

    _place(booking, now)
    _place(booking, now + LATER)

    assert (len(_appointments(sandbox)), _pending_topics()) == (1, ["email.confirmation"])


def test_place_in_calendar_finds_what_a_lost_answer_wrote(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "drop", "bookings.create")

    with pytest.raises(ProviderError):
        _place(booking, now)
    confirmed = _place(booking, now + LATER)

    assert confirmed.state == BookingState.CONFIRMED
    assert _appointments(sandbox) == [(confirmed.calcom_booking_id, "accepted")]
    assert sandbox.calls("calcom.bookings.create") == 1


def test_place_in_calendar_finds_it_after_hours_of_silence(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "drop", "bookings.create")
    with pytest.raises(ProviderError):
        _place(booking, now)
    sandbox.fault("calcom", "bare_500", "bookings.list", times=None)
    for hours in range(1, 6):
        with pytest.raises(ProviderError):
            _place(booking, now + timedelta(hours=hours))
    sandbox.clear_faults()

    confirmed = _place(booking, now + timedelta(hours=7))

    assert (confirmed.state, len(_appointments(sandbox))) == (BookingState.CONFIRMED, 1)


def test_place_in_calendar_waits_before_it_looks_for_a_lost_answer(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "refuse", "bookings.create")
    with pytest.raises(ProviderError):
        _place(booking, now)

    with pytest.raises(RetryLater) as pause:
        _place(booking, now + timedelta(seconds=10))

    assert pause.value.after == timedelta(seconds=20)


def test_place_in_calendar_books_again_when_nothing_was_written(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "refuse", "bookings.create")
    with pytest.raises(ProviderError):
        _place(booking, now)

    confirmed = _place(booking, now + LATER)

    assert (confirmed.state, len(_appointments(sandbox))) == (BookingState.CONFIRMED, 1)


@pytest.mark.parametrize("form", ["text", "bare"])
def test_place_in_calendar_rejects_a_taken_slot_and_frees_the_payment(
    form: str, sandbox: SandboxProcess, now: datetime
) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "slot_taken", "bookings.create", form=form)

    rejected = _place(booking, now)

    assert rejected.state == BookingState.REJECTED
    again = make_booking(wish=make_wish(), state=BookingState.PENDING, payment=rejected.payment)
    assert again.payment == rejected.payment


def test_place_in_calendar_tells_of_a_lost_slot_when_the_client_had_time_to_choose(
    sandbox: SandboxProcess, now: datetime
) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "slot_taken", "bookings.create")

    _place(booking, now)

    message = OutboxMessage.objects.get(topic="email.slot_lost")
    assert message.due_at >= now + timedelta(minutes=10)
    assert _pending_topics() == ["email.slot_lost"]


def test_place_in_calendar_tells_of_a_lost_free_call_too(sandbox: SandboxProcess, now: datetime) -> None:
    slot = local(next_slot())
    wish = make_wish(session_type="free", session_format=None, day=slot.date(), clock=slot.time())
    booking = book_session(wish=wish, payment_id=None, now=now)
    sandbox.fault("calcom", "slot_taken", "bookings.create")

    _place(booking, now)

    message = OutboxMessage.objects.get(topic="email.slot_lost")
    assert (message.payload, message.due_at >= now + timedelta(minutes=10)) == ({"booking_id": str(booking.id)}, True)


def test_place_in_calendar_believes_taken_after_silence_only_the_third_time(
    sandbox: SandboxProcess, now: datetime
) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "refuse", "bookings.create")
    with pytest.raises(ProviderError):
        _place(booking, now)
    sandbox.fault("calcom", "slot_taken", "bookings.create", times=None)

    for attempt in (1, 2):
        with pytest.raises(RetryLater):
            _place(booking, now + attempt * LATER)
    rejected = _place(booking, now + 3 * LATER)

    assert rejected.state == BookingState.REJECTED


def test_place_in_calendar_does_not_give_up_a_slot_that_was_its_own(sandbox: SandboxProcess, now: datetime) -> None:
    """The answer was lost, the first look finds nothing, the repeated call hears "taken": it is ours."""
    booking = _pending(now)
    sandbox.fault("calcom", "refuse", "bookings.create")
    with pytest.raises(ProviderError):
        _place(booking, now)
    sandbox.fault("calcom", "drop", "bookings.create")
    with pytest.raises(ProviderError):
        _place(booking, now + LATER)

    confirmed = _place(booking, now + 2 * LATER)

    assert (confirmed.state, len(_appointments(sandbox))) == (BookingState.CONFIRMED, 1)


def test_place_in_calendar_keeps_a_booking_that_the_calendar_cannot_read_pending(
    sandbox: SandboxProcess, now: datetime
) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "status", "bookings.create", status=401)

    with pytest.raises(ProviderError) as error:
        _place(booking, now)

    booking.refresh_from_db()
    assert error.value.permanent is False
    assert (booking.state, booking.calendar_asked_at) == (BookingState.PENDING, None)


def test_place_in_calendar_leaves_a_finished_booking_alone(sandbox: SandboxProcess, now: datetime) -> None:
    booking = make_booking(state=BookingState.CANCELLED)

    assert _place(booking, now).state == BookingState.CANCELLED
    assert sandbox.calls("calcom.bookings.create") == 0


@pytest.mark.django_db(transaction=True)
def test_place_while_waited_for_answers_with_the_confirmed_booking(sandbox: SandboxProcess, now: datetime) -> None:
    booking = place_while_waited_for(booking_id=_pending(now).id, deadline=8)

    assert booking.state == BookingState.CONFIRMED


@pytest.mark.django_db(transaction=True)
def test_place_while_waited_for_stops_waiting_and_the_answer_is_written_down_all_the_same(
    sandbox: SandboxProcess, now: datetime
) -> None:
    pending = _pending(now)
    sandbox.fault("calcom", "delay", "bookings.create", seconds=2)

    booking = place_while_waited_for(booking_id=pending.id, deadline=0.3)
    later = place_while_waited_for(booking_id=pending.id, deadline=10)

    assert (booking.state, later.state) == (BookingState.PENDING, BookingState.CONFIRMED)
    assert sandbox.calls("calcom.bookings.create") == 1


@pytest.mark.django_db(transaction=True)
def test_place_while_waited_for_bounds_a_drip_of_bytes(sandbox: SandboxProcess, now: datetime) -> None:
    """A read timeout does not bound a slow answer; the deadline does."""
    pending = _pending(now)
    sandbox.fault("calcom", "hang", "bookings.create", seconds=3)
    begun = datetime.now(UTC)

    booking = place_while_waited_for(booking_id=pending.id, deadline=0.5)

    assert booking.state == BookingState.PENDING
    assert datetime.now(UTC) - begun < timedelta(seconds=2.5)


def test_calendar_page_url_is_where_the_specification_points(settings: Settings) -> None:
    assert calendar().page_url("abc/../x").endswith("/booking/abc%2F..%2Fx")
