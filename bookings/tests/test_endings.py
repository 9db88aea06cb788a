from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.models import Booking
from bookings.practice_time import local
from bookings.refusals import NotBegun
from bookings.services.booking import book_session
from bookings.services.endings import complete_sessions, note_absence, note_attendance
from bookings.services.placement import place_in_calendar
from bookings.services.reconciliation import poll_calendar
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

STARTS = make_wish().starts_at
ENDS = STARTS + timedelta(hours=1)


def _make(state: BookingState = BookingState.CONFIRMED) -> Booking:
    return make_booking(state=state, calcom_booking_id="uid-1")


def _audited() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.filter(target__startswith="booking:").values_list("action", "actor"))


def test_complete_sessions_closes_what_is_over_once() -> None:
    _make()

    assert [complete_sessions(now=ENDS - timedelta(seconds=1)), *(complete_sessions(now=ENDS) for _ in range(2))] == [
        *(0, 1, 0)
    ]
    assert (Booking.objects.get().state, _audited()) == (BookingState.COMPLETED, [("booking.completed", "system")])


@pytest.mark.parametrize("state", [BookingState.PENDING, BookingState.HELD, BookingState.CANCELLED])
def test_complete_sessions_leaves_alone_what_did_not_stand(state: BookingState) -> None:
    _make(state)

    assert (complete_sessions(now=ENDS), Booking.objects.get().state) == (0, state)


@pytest.mark.parametrize("state", [BookingState.CONFIRMED, BookingState.COMPLETED])
def test_note_absence_is_noted_once_during_the_session_or_after(state: BookingState) -> None:
    booking = _make(state)

    for _ in range(2):
        assert note_absence(booking_id=booking.id, actor="staff:1", now=STARTS).state == BookingState.NO_SHOW

    assert _audited() == [("booking.missed", "staff:1")]
    assert complete_sessions(now=ENDS) == 0


def test_note_absence_is_refused_before_the_session() -> None:
    with pytest.raises(NotBegun):
        note_absence(booking_id=_make().id, actor="staff:1", now=STARTS - timedelta(seconds=1))


@pytest.mark.parametrize("state", [BookingState.PENDING, BookingState.CANCELLED, BookingState.HELD])
def test_note_absence_is_refused_of_what_did_not_stand(state: BookingState) -> None:
    with pytest.raises(NotBegun):
        note_absence(booking_id=_make(state).id, actor="staff:1", now=ENDS)


def test_note_attendance_takes_it_back() -> None:
    booking = _make(BookingState.NO_SHOW)

    assert note_attendance(booking_id=booking.id, actor="staff:1", now=ENDS).state == BookingState.COMPLETED
    with pytest.raises(NotBegun):
        note_attendance(booking_id=booking.id, actor="staff:1", now=ENDS)


# What staff note, the calendar hears


@pytest.fixture
def met(sandbox: SandboxProcess, now: datetime) -> Booking:
    """Jane's session in the calendar, which is over by both clocks."""
    make_catalogue()
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    booking = book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)
    booking = place_in_calendar(booking_id=booking.id, timeout=5, now=now)
    OutboxMessage.objects.all().delete()
    sandbox.advance((next_slot() - now + timedelta(hours=1)).total_seconds())
    return booking


def _absent(sandbox: SandboxProcess) -> bool:
    return bool(sandbox.state()["calcom"]["bookings"][0]["attendees"][0]["absent"])


def _deliver(booking: Booking) -> None:
    deliver_due(now=booking.ends_at + timedelta(minutes=1), limit=5)


def test_absence_and_its_correction_reach_the_calendar(met: Booking, sandbox: SandboxProcess) -> None:
    note_absence(booking_id=met.id, actor="staff:1", now=met.ends_at)
    _deliver(met)
    marked = _absent(sandbox)
    note_attendance(booking_id=met.id, actor="staff:1", now=met.ends_at)
    _deliver(met)

    assert (marked, _absent(sandbox), sandbox.calls("calcom.bookings.mark_absent")) == (True, False, 2)


def test_absence_taken_back_before_the_calendar_heard_is_never_written(met: Booking, sandbox: SandboxProcess) -> None:
    note_absence(booking_id=met.id, actor="staff:1", now=met.ends_at)
    note_attendance(booking_id=met.id, actor="staff:1", now=met.ends_at)

    _deliver(met)

    assert (sandbox.calls("calcom.bookings.mark_absent"), OutboxMessage.objects.filter(state="DELIVERED").count()) == (
        *(0, 2),
    )


def test_absence_from_the_calendar_is_not_sent_back(met: Booking) -> None:
    note_absence(booking_id=met.id, actor="vendor:calcom", now=met.ends_at)

    assert OutboxMessage.objects.count() == 0


def test_absence_whose_answer_is_lost_is_written_once(met: Booking, sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "drop", "bookings.mark_absent")
    note_absence(booking_id=met.id, actor="staff:1", now=met.ends_at)
    _deliver(met)

    deliver_due(now=met.ends_at + timedelta(minutes=5), limit=5)

    assert (_absent(sandbox), sandbox.calls("calcom.bookings.mark_absent")) == (True, 1)
    assert OutboxMessage.objects.get().state == "DELIVERED"


def test_poll_does_not_bring_back_an_absence_that_was_taken_back(met: Booking, sandbox: SandboxProcess) -> None:
    sandbox.change_booking(met.calcom_booking_id or "", "no-show")
    poll_calendar(now=met.ends_at)
    note_attendance(booking_id=met.id, actor="staff:1", now=met.ends_at)

    poll_calendar(now=met.ends_at)
    before = Booking.objects.get().state
    _deliver(met)
    poll_calendar(now=met.ends_at)

    assert (before, Booking.objects.get().state, _absent(sandbox)) == (
        BookingState.COMPLETED,
        BookingState.COMPLETED,
        False,
    )


def test_absence_is_written_under_the_address_that_the_calendar_knows(met: Booking, sandbox: SandboxProcess) -> None:
    """It may have been corrected here, or erased."""
    Booking.objects.filter(id=met.id).update(customer_email_hash="")
    booking = Booking.objects.get()
    booking.customer_email = "corrected@example.com"
    booking.save(update_fields=["customer_email"])
    note_absence(booking_id=met.id, actor="staff:1", now=met.ends_at)

    _deliver(met)

    assert _absent(sandbox)
