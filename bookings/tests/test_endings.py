from __future__ import annotations

from datetime import timedelta

import pytest

from bookings.models import Booking
from bookings.refusals import NotBegun
from bookings.services.endings import complete_sessions, note_absence, note_attendance
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_wish
from mindfulqalb.audit.models import AuditEvent

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
