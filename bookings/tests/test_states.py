from __future__ import annotations

import pytest

from bookings.models import Booking
from bookings.states import ALLOWED, GIVES_PAYMENT_BACK, OCCUPYING, BookingState, ImpossibleMove


def test_states_table_names_every_state() -> None:
    assert set(ALLOWED) == set(BookingState)


def test_states_table_is_the_design() -> None:
    moves = {(before.value, after.value) for before, afters in ALLOWED.items() for after in afters}

    assert moves == {
        ("HELD", "PENDING"),
        ("HELD", "EXPIRED"),
        ("HELD", "CANCELLED"),
        ("EXPIRED", "PENDING"),
        ("PENDING", "CONFIRMED"),
        ("PENDING", "REJECTED"),
        ("PENDING", "CANCELLED"),
        ("CONFIRMED", "CANCELLED"),
        ("CONFIRMED", "COMPLETED"),
        ("CONFIRMED", "NO_SHOW"),
        ("COMPLETED", "NO_SHOW"),
        ("NO_SHOW", "COMPLETED"),
    }


def test_states_that_occupy_never_give_their_payment_back() -> None:
    assert set(OCCUPYING) & set(GIVES_PAYMENT_BACK) == set()


@pytest.mark.parametrize("state", [BookingState.REJECTED, BookingState.CANCELLED, BookingState.COMPLETED])
def test_booking_refuses_to_leave_an_end(state: BookingState) -> None:
    booking = Booking(state=state)

    with pytest.raises(ImpossibleMove):
        booking.place()

    assert booking.state == state


def test_booking_confirm_keeps_the_calendars_uid() -> None:
    booking = Booking(state=BookingState.PENDING)

    booking.confirm(calendar_uid="uid-1")

    assert (booking.state, booking.calcom_booking_id) == (BookingState.CONFIRMED, "uid-1")


def test_booking_place_ends_the_hold() -> None:
    booking = Booking(state=BookingState.HELD)

    booking.place()

    assert (booking.state, booking.hold_expires_at) == (BookingState.PENDING, None)
