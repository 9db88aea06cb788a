"""A hold and the orders that can pay it: one that cannot be made does not cost the client the slot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import requests

from bookings.models import Booking
from bookings.practice_time import local
from bookings.refusals import SlotTaken
from bookings.services.booking import book_session, place_paid_hold
from bookings.services.holds import Hold, hold_slot
from bookings.states import BookingState
from bookings.tests.builders import agreed, make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment
from payments.refunds import request_refund
from payments.services import Checkout, capture_payment
from payments.states import RefundReason

if TYPE_CHECKING:
    from uuid import UUID

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

CHECKOUT = Checkout(payer_email="jane@example.com", success_url="http://127.0.0.1/ok", cancel_url="http://127.0.0.1/no")


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _hold(pay_with: str, consent_id: UUID | None = None) -> Hold:
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time(), consent_id=consent_id)
    wish = wish if consent_id else agreed(wish)
    return hold_slot(wish=wish, pay_with=pay_with, checkout=CHECKOUT, now=datetime.now(UTC))


def test_hold_keeps_the_slot_while_its_first_order_can_be_paid(sandbox: SandboxProcess, now: datetime) -> None:
    """The client looked at Stripe, which was down, and goes back to the Razorpay dialog that is still open."""
    first = _hold("razorpay")
    sandbox.fault("stripe", "bare_500", "sessions.*", times=None)
    with pytest.raises(ProviderError):
        _hold("stripe", first.booking.consent_id)
    assert first.payment is not None
    assert first.payment.provider_order_id is not None
    sandbox.pay_razorpay(first.payment.provider_order_id)
    capture_payment(payment_id=first.payment.id, now=now)

    placed = place_paid_hold(payment_id=first.payment.id, reference=str(first.booking.id), now=now)

    assert placed is not None
    assert (placed.id, placed.state) == (first.booking.id, BookingState.PENDING)


def test_hold_paid_with_stripe_says_what_is_sold(sandbox: SandboxProcess) -> None:
    hold = _hold("stripe")

    assert hold.payment is not None
    page = requests.get(hold.payment.checkout_url, timeout=5).text
    assert (hold.booking.offer.title in page, bool(hold.booking.offer.title)) == (True, True)


def test_hold_is_given_up_when_no_order_was_ever_made(sandbox: SandboxProcess) -> None:
    sandbox.fault("stripe", "bare_500", "sessions.*", times=None)

    with pytest.raises(ProviderError):
        _hold("stripe")

    assert (Booking.objects.get().state, Payment.objects.count()) == (BookingState.CANCELLED, 1)
    assert AuditEvent.objects.get(action="booking.cancelled").actor == "system"


def test_hold_can_be_taken_again_after_its_order_failed(sandbox: SandboxProcess) -> None:
    sandbox.fault("razorpay", "bare_500", "orders.*", times=None)
    with pytest.raises(ProviderError):
        _hold("razorpay")
    sandbox.clear_faults()

    again = _hold("razorpay")

    assert again.payment is not None
    assert (again.booking.state, again.payment.reference) == (BookingState.HELD, str(again.booking.id))


def test_hold_repeated_between_the_money_and_the_booking_makes_no_second_order(
    sandbox: SandboxProcess, now: datetime
) -> None:
    first = _hold("razorpay")
    assert first.payment is not None
    sandbox.pay_razorpay(str(first.payment.provider_order_id))
    capture_payment(payment_id=first.payment.id, now=now)

    again = [_hold(gateway, first.booking.consent_id).payment for gateway in ("razorpay", "stripe")]

    assert again == [first.payment, first.payment]
    assert len(sandbox.state()["razorpay"]["orders"]) == 1
    assert (sandbox.state()["stripe"]["sessions"], Payment.objects.count()) == ([], 1)


def test_hold_whose_money_went_back_may_be_paid_anew(sandbox: SandboxProcess, now: datetime) -> None:
    first = _hold("razorpay")
    assert first.payment is not None
    sandbox.pay_razorpay(str(first.payment.provider_order_id))
    capture_payment(payment_id=first.payment.id, now=now)
    request_refund(payment_id=first.payment.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=now)

    again = _hold("razorpay", first.booking.consent_id)

    assert again.payment != first.payment
    assert len(sandbox.state()["razorpay"]["orders"]) == 2


def test_booking_with_older_money_takes_the_place_of_the_clients_own_unpaid_hold(
    sandbox: SandboxProcess, now: datetime
) -> None:
    hold = _hold("razorpay")
    older = make_payment()
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time(), consent_id=hold.booking.consent_id)

    booking = book_session(wish=wish, payment_id=older.provider_payment_id, now=now)

    hold.booking.refresh_from_db()
    assert (booking.state, booking.payment, booking.starts_at) == (BookingState.PENDING, older, hold.booking.starts_at)
    assert hold.booking.state == BookingState.CANCELLED


def test_booking_with_older_money_leaves_the_hold_of_somebody_else_with_the_same_email(
    sandbox: SandboxProcess, now: datetime
) -> None:
    hold = _hold("razorpay")
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())  # knows the email, and not the consent's id

    with pytest.raises(SlotTaken):
        book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)

    hold.booking.refresh_from_db()
    assert hold.booking.state == BookingState.HELD
