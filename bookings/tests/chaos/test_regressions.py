"""What chaos has found, step by step as it was printed: each of these once lost money, or hid it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bookings.ledger import ledger
from bookings.models import Booking
from bookings.states import BookingState
from payments.models import Payment, Refund
from payments.states import PaymentState, RefundReason, RefundState

if TYPE_CHECKING:
    from bookings.tests.chaos.machine import Chaos


def _refunds() -> list[tuple[int, str, str]]:
    found = Refund.objects.order_by("requested_at")
    return [(refund.amount_minor, refund.reason, refund.state) for refund in found]


def test_rest_of_a_credit_that_went_back_in_part_follows_by_itself(chaos: Chaos) -> None:
    chaos.client_holds(who=0, slot=0, gateway="razorpay")
    chaos.client_pays(order=0, how="captured")
    chaos.dashboard_refunds(which=0, percent=25)

    chaos.teardown()

    assert _refunds() == [
        (32475, RefundReason.EXTERNAL, RefundState.PROCESSED),
        (97425, RefundReason.UNSPENT, RefundState.PROCESSED),
    ]


def test_refund_by_hand_at_the_gateway_is_known_after_ours_was_refused_for_it(chaos: Chaos) -> None:
    chaos.client_holds(who=0, slot=0, gateway="razorpay")
    chaos.client_pays(order=0, how="captured")
    chaos.webhook_arrives(which=0)
    chaos.client_books(order=0)
    chaos.dashboard_refunds(which=0, percent=100)
    chaos.staff_refunds(which=0, percent=30)
    chaos.worker_dies_after_the_work()

    chaos.teardown()

    assert _refunds() == [
        (38970, RefundReason.STAFF, RefundState.FAILED),
        (129900, RefundReason.EXTERNAL, RefundState.PROCESSED),
    ]


def test_refund_by_hand_whose_webhooks_were_all_lost_is_found_at_night(chaos: Chaos) -> None:
    chaos.client_holds(who=0, slot=1, gateway="stripe")
    chaos.client_pays(order=0, how="captured")
    chaos.client_books(order=0)
    chaos.dashboard_refunds(which=0, percent=25)

    chaos.teardown()

    assert _refunds() == [(400, RefundReason.EXTERNAL, RefundState.PROCESSED)]


def test_order_that_ended_after_a_declined_card_does_not_stop_the_reconciler(chaos: Chaos) -> None:
    chaos.client_holds(gateway="stripe", slot=0, who=0)
    chaos.client_pays(how="failed", order=0)

    chaos.teardown()

    assert list(Payment.objects.values_list("state", flat=True)) == [PaymentState.EXPIRED]


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("gateway", ["razorpay", "stripe"])
def test_session_cancelled_while_a_bank_decides_goes_back_once(chaos: Chaos, gateway: str, ours: bool) -> None:
    chaos.client_walks_through(who=0, slot=3, gateway=gateway)
    chaos.bank_disputes(which=0, percent=100)
    chaos.beat_asks_about_disputes()
    chaos.client_cancels(booking=0)
    chaos.bank_decides(which=0, ours=ours)

    chaos.teardown()

    price = 129900 if gateway == "razorpay" else 1600
    state = RefundState.PROCESSED if ours else RefundState.FAILED
    assert _refunds() == [(price, RefundReason.CANCELLED_BY_CLIENT, state)]
    assert (Payment.objects.get().attention, ledger()[0].disputed) == (("", 0) if ours else ("dispute_lost", price))


def test_session_moved_by_its_client_and_then_in_the_calendar_stays_one(chaos: Chaos) -> None:
    chaos.client_walks_through(who=0, slot=3, gateway="stripe")
    chaos.client_moves(booking=0, slot=2)
    moved_by_client = Booking.objects.get().starts_at
    chaos.therapist_moves_in_the_calendar(which=0, slot=3)

    chaos.teardown()

    booking = Booking.objects.get()
    assert (moved_by_client, booking.starts_at) == (chaos.starts_at(2), chaos.starts_at(3))
    assert (booking.state, _refunds()) == (BookingState.CONFIRMED, [])


def test_session_cancelled_in_the_calendar_pays_back_what_its_client_does_not_use(chaos: Chaos) -> None:
    chaos.client_walks_through(who=0, slot=3, gateway="razorpay")
    chaos.therapist_cancels_in_the_calendar(which=0)

    chaos.teardown()

    assert [(amount, state) for amount, _, state in _refunds()] == [(129900, RefundState.PROCESSED)]
