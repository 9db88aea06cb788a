"""A gateway does what it was asked and its answer is lost, on every call in turn: its books show everything once."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment, Refund
from payments.refunds import request_refund, send_refund
from payments.services import abandon_orders, capture_payment, request_order
from payments.states import PaymentState, RefundReason, RefundState
from payments.tests.builders import CHECKOUT, NOW, announced, make_order, make_payment

if TYPE_CHECKING:
    from collections.abc import Callable

    from payments.tests.payers import Payer, StripePayer

pytestmark = pytest.mark.django_db
CALLS = {
    "razorpay": (
        "orders.create",
        "orders.list",
        "orders.payments",
        "payments.capture",
        "refunds.create",
        "refunds.list",
    ),
    "stripe": ("sessions.create", "sessions.retrieve", "refunds.create", "refunds.list"),
}
EVERY_CALL = [(vendor, call) for vendor, calls in CALLS.items() for call in calls]


def _until_answered(step: Callable[[], object]) -> None:
    """Repeat a step as the outbox does, until the gateway answers."""
    for _ in range(4):
        with contextlib.suppress(ProviderError):
            step()
            return
    pytest.fail("no answer in four tries")


def _journey(payer: Payer) -> None:
    """Order, pay, capture and refund."""
    payment = make_payment(
        gateway=payer.name,
        provider_order_id=None,
        amount_minor=payer.price.amount_minor,
        currency=payer.price.currency,
        expires_at=datetime.now(UTC) + timedelta(minutes=15),  # as long as a hold, and shorter than Stripe allows
    )
    _until_answered(lambda: request_order(payment=payment, title="Individual session", checkout=CHECKOUT))
    payer.pay(str(payment.provider_order_id), "authorized" if payer.name == "razorpay" else "captured")
    _until_answered(lambda: capture_payment(payment_id=payment.id, now=NOW))
    refund = request_refund(
        payment_id=payment.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )
    _until_answered(lambda: send_refund(refund_id=refund.id, now=NOW))


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("payer", "call"), EVERY_CALL, indirect=["payer"])
def test_do_it_and_drop_the_answer_leaves_one_order_one_capture_and_one_refund(
    payer: Payer, call: str, times: int
) -> None:
    payer.sandbox.fault(payer.name, "drop", call, times=times)

    _journey(payer)

    state = payer.sandbox.state()[payer.name]
    money = [paid for paid in state["payments" if payer.name == "razorpay" else "charges"] if paid["captured"]]
    amount = payer.price.amount_minor
    assert len(payer.books()) == 1
    assert [paid["amount"] for paid in money] == [amount]
    assert [refund["amount"] for refund in state["refunds"]] == [amount]
    payment, refund = Payment.objects.get(), Refund.objects.get()
    assert (payment.state, refund.state, refund.amount_minor) == (PaymentState.CAPTURED, RefundState.PROCESSED, amount)
    assert len(announced()) == 1


@pytest.mark.parametrize("is_paid", [True, False])
def test_do_it_and_drop_the_answer_of_an_expiry_ends_the_session_once(
    stripe_payer: StripePayer,
    is_paid: bool,
) -> None:
    payment = make_order(stripe_payer)
    if is_paid:
        stripe_payer.pay(str(payment.provider_order_id))
    stripe_payer.sandbox.fault("stripe", "drop", "sessions.expire")

    _until_answered(lambda: abandon_orders(reference="visit-1", now=NOW))

    payment.refresh_from_db()
    (session,) = stripe_payer.sandbox.state()["stripe"]["sessions"]
    ends = ("CAPTURED", "complete") if is_paid else ("EXPIRED", "expired")
    assert (payment.state, session["status"]) == ends
