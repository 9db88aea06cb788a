"""A hold and the orders that can pay it: one that cannot be made does not cost the client the slot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bookings.models import Booking
from bookings.practice_time import local
from bookings.services.booking import place_paid_hold
from bookings.services.holds import Hold, hold_slot
from bookings.states import BookingState
from bookings.tests.builders import make_catalogue, make_wish, next_slot
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment
from payments.services import Checkout, capture_payment

if TYPE_CHECKING:
    from uuid import UUID

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

CHECKOUT = Checkout(
    description="", payer_email="jane@example.com", success_url="http://127.0.0.1/ok", cancel_url="http://127.0.0.1/no"
)


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _hold(pay_with: str, consent_id: UUID | None = None) -> Hold:
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time(), consent_id=consent_id)
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


def test_hold_is_given_up_when_no_order_was_ever_made(sandbox: SandboxProcess) -> None:
    sandbox.fault("stripe", "bare_500", "sessions.*", times=None)

    with pytest.raises(ProviderError):
        _hold("stripe")

    assert (Booking.objects.get().state, Payment.objects.count()) == (BookingState.CANCELLED, 1)


def test_hold_can_be_taken_again_after_its_order_failed(sandbox: SandboxProcess) -> None:
    sandbox.fault("razorpay", "bare_500", "orders.*", times=None)
    with pytest.raises(ProviderError):
        _hold("razorpay")
    sandbox.clear_faults()

    again = _hold("razorpay")

    assert again.payment is not None
    assert (again.booking.state, again.payment.reference) == (BookingState.HELD, str(again.booking.id))
