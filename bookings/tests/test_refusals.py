from __future__ import annotations

from datetime import time

import pytest
from django.db import IntegrityError, connection

from bookings.models import Booking
from bookings.refusals import (
    REFUSAL_OF_CONSTRAINT,
    FreeCallAlreadyBooked,
    PaymentAlreadyUsed,
    SlotTaken,
    database_refusals,
)
from bookings.states import BookingState
from bookings.tests.builders import JOHN, make_booking, make_payment, make_wish
from mindfulqalb.api.errors import Refusal

pytestmark = pytest.mark.django_db


def _overlap() -> None:
    make_booking(wish=make_wish(customer=JOHN), state=BookingState.PENDING)


def _second_spending() -> None:
    payment = Booking.objects.get().payment
    make_booking(wish=make_wish(customer=JOHN, clock=time(15, 0)), state=BookingState.PENDING, payment=payment)


def _second_free_call() -> None:
    for hour in (15, 16):
        wish = make_wish(session_type="free", session_format=None, clock=time(hour, 0))
        make_booking(wish=wish, state=BookingState.PENDING)


@pytest.mark.parametrize(
    ("break_rule", "refusal"),
    [(_overlap, SlotTaken), (_second_spending, PaymentAlreadyUsed), (_second_free_call, FreeCallAlreadyBooked)],
)
def test_database_refusals_are_said_in_words(break_rule: object, refusal: type[Refusal]) -> None:
    make_booking(state=BookingState.PENDING, payment=make_payment())
    assert callable(break_rule)

    with pytest.raises(refusal) as said, database_refusals():
        break_rule()

    assert (said.value.status, isinstance(said.value.__cause__, IntegrityError)) == (409, True)


def test_database_refusals_leave_the_transaction_usable() -> None:
    make_booking(state=BookingState.PENDING, payment=make_payment())

    with pytest.raises(SlotTaken), database_refusals():
        _overlap()

    assert Booking.objects.count() == 1


def test_database_refusals_raise_what_they_do_not_know_again() -> None:
    with pytest.raises(IntegrityError, match="booking_hold_ends"), database_refusals():
        make_booking(hold_expires_at=None)

    assert Booking.objects.count() == 0


def test_database_refusals_raise_an_error_without_a_diagnosis_again() -> None:
    with pytest.raises(IntegrityError, match="from nowhere"), database_refusals():
        raise IntegrityError("from nowhere")


def test_database_refusals_know_constraints_that_there_are() -> None:
    with connection.cursor() as cursor:
        there = connection.introspection.get_constraints(cursor, "bookings")

    assert [name for name in REFUSAL_OF_CONSTRAINT if name not in there] == []


def test_refusals_have_a_code_and_a_sentence_each_of_their_own() -> None:
    ours = [refusal for refusal in Refusal.__subclasses__() if refusal.__module__ == "bookings.refusals"]

    codes, sentences = {refusal.code for refusal in ours}, {refusal.sentence for refusal in ours}
    assert (len(codes), len(sentences)) == (len(ours), len(ours))
    assert [refusal.sentence for refusal in ours if not refusal.sentence.endswith(".")] == []
