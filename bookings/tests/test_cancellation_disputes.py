"""A session is cancelled while the client's bank decides about its payment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bookings.letters import cancelled_letter
from bookings.models import Booking
from bookings.services.cancellation import cancel_by_client, cancel_by_practice, quote_cancellation
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_catalogue, make_payment, make_wish
from payments.models import Dispute, Payment, Refund
from payments.money import Money
from payments.states import DisputeState, RefundState

STARTS = make_wish().starts_at


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _booked() -> tuple[Booking, Payment]:
    payment = make_payment()
    return make_booking(state=BookingState.CONFIRMED, calcom_booking_id="uid-1", payment=payment), payment


def _refunds() -> list[tuple[int, str]]:
    return list(Refund.objects.values_list("amount_minor", "reason"))


def _disputed(payment: Payment, state: DisputeState = DisputeState.OPEN) -> Dispute:
    return Dispute.objects.create(
        payment=payment,
        provider_dispute_id="disp_1",
        state=state,
        amount_minor=129900,
        currency="INR",
        noticed_at=NOW,
    )


@pytest.mark.parametrize(("hours", "owed"), [(48, 129900), (2, 64950)])
def test_cancel_by_client_while_their_bank_decides_promises_what_the_policy_gives_back(hours: int, owed: int) -> None:
    booking, payment = _booked()
    _disputed(payment)
    now = STARTS - timedelta(hours=hours)
    assert quote_cancellation(booking, now=now).refund == Money(owed, "INR")

    cancel_by_client(booking_id=booking.id, now=now)

    assert _refunds() == [(owed, "cancelled_by_client")]
    assert Refund.objects.get().state == RefundState.REQUESTED


def test_cancel_by_practice_while_a_bank_decides_promises_everything() -> None:
    booking, payment = _booked()
    _disputed(payment)

    cancel_by_practice(booking_id=booking.id, actor="staff:1", now=NOW)

    assert _refunds() == [(129900, "cancelled_by_practice")]


def test_cancel_by_client_after_their_bank_took_everything_promises_nothing() -> None:
    booking, payment = _booked()
    _disputed(payment, DisputeState.LOST)

    cancel_by_client(booking_id=booking.id, now=NOW)

    assert _refunds() == []


@pytest.mark.parametrize("is_disputed", [True, False])
def test_cancelled_letter_says_that_a_bank_decides(is_disputed: bool) -> None:
    booking, payment = _booked()
    if is_disputed:
        _disputed(payment)
    cancel_by_client(booking_id=booking.id, now=NOW)

    letter = cancelled_letter(Booking.objects.get(), now=NOW)

    assert (letter.context["refund"], letter.context["waits_for_bank"]) == ("₹1,299", is_disputed)
