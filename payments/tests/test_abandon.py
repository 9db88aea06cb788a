from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment
from payments.services import abandon_orders, capture_payment
from payments.states import PaymentState
from payments.tests.builders import announced, make_captured_payment, make_order, make_payment

if TYPE_CHECKING:
    from datetime import datetime

    from payments.tests.payers import RazorpayPayer, StripePayer

pytestmark = pytest.mark.django_db
HOLD = "5e0f6a54-0000-4000-8000-000000000002"


def test_abandon_orders_closes_a_stripe_session(stripe_payer: StripePayer, now: datetime) -> None:
    payment = make_order(stripe_payer, reference=HOLD)

    abandon_orders(reference=HOLD, now=now)

    payment.refresh_from_db()
    sessions = stripe_payer.sandbox.state()["stripe"]["sessions"]
    assert (payment.state, [session["status"] for session in sessions]) == (PaymentState.EXPIRED, ["expired"])


def test_abandon_orders_takes_the_money_of_a_session_that_was_paid(stripe_payer: StripePayer, now: datetime) -> None:
    payment = make_order(stripe_payer, reference=HOLD)
    stripe_payer.pay(str(payment.provider_order_id))

    abandon_orders(reference=HOLD, now=now)

    payment.refresh_from_db()
    assert (payment.state, len(announced())) == (PaymentState.CAPTURED, 1)


def test_abandon_orders_leaves_a_razorpay_order_open_for_late_money(
    razorpay_payer: RazorpayPayer, now: datetime
) -> None:
    payment = make_order(razorpay_payer, reference=HOLD)
    abandon_orders(reference=HOLD, now=now)
    razorpay_payer.pay(str(payment.provider_order_id))

    assert capture_payment(payment_id=payment.id, now=now).state == PaymentState.CAPTURED


def test_abandon_orders_touches_nobody_elses(stripe_payer: StripePayer, now: datetime) -> None:
    other = make_order(stripe_payer, reference="another")
    captured = make_captured_payment(reference=HOLD)

    abandon_orders(reference=HOLD, now=now)

    other.refresh_from_db()
    captured.refresh_from_db()
    assert (other.state, captured.state) == (PaymentState.CREATED, PaymentState.CAPTURED)
    assert stripe_payer.sandbox.calls("stripe.sessions.expire") == 0


def test_abandon_orders_takes_note_of_a_session_that_ended_by_itself(stripe_payer: StripePayer, now: datetime) -> None:
    payment = make_order(stripe_payer, reference=HOLD)
    stripe_payer.gateway().close_order(str(payment.provider_order_id))

    abandon_orders(reference=HOLD, now=now)

    payment.refresh_from_db()
    assert payment.state == PaymentState.EXPIRED


def test_abandon_orders_is_tried_again_when_stripe_is_silent(stripe_payer: StripePayer, now: datetime) -> None:
    payment = make_order(stripe_payer, reference=HOLD)
    stripe_payer.sandbox.fault("stripe", "bare_500", "sessions.expire", times=None)

    with pytest.raises(ProviderError):
        abandon_orders(reference=HOLD, now=now)

    payment.refresh_from_db()
    assert payment.state == PaymentState.CREATED


def test_expired_payment_that_is_paid_after_all_is_captured(stripe_payer: StripePayer, now: datetime) -> None:
    payment = make_order(stripe_payer, reference=HOLD)
    payment.expire()
    payment.save()
    stripe_payer.pay(str(payment.provider_order_id))

    assert capture_payment(payment_id=payment.id, now=now).state == PaymentState.CAPTURED


def test_abandon_orders_asks_nobody_about_what_has_ended_or_never_begun(
    stripe_payer: StripePayer, now: datetime
) -> None:
    make_order(stripe_payer, reference=HOLD)
    make_payment(gateway="stripe", reference=HOLD, provider_order_id=None)

    for _ in range(2):
        abandon_orders(reference=HOLD, now=now)

    assert stripe_payer.sandbox.calls("stripe.sessions.expire") == 1


@pytest.mark.parametrize(
    ("state", "expected"),
    [(PaymentState.PENDING, PaymentState.EXPIRED), (PaymentState.FAILED, PaymentState.FAILED)],
)
def test_abandon_orders_closes_what_was_tried_to_be_paid(
    state: PaymentState, expected: PaymentState, stripe_payer: StripePayer, now: datetime
) -> None:
    payment = make_order(stripe_payer, reference=HOLD)
    Payment.objects.filter(id=payment.id).update(state=state)

    abandon_orders(reference=HOLD, now=now)

    payment.refresh_from_db()
    (session,) = stripe_payer.sandbox.state()["stripe"]["sessions"]
    assert (payment.state, session["status"]) == (expected, "expired")


def test_abandon_orders_is_on_record(stripe_payer: StripePayer, now: datetime) -> None:
    payment = make_order(stripe_payer, reference=HOLD)

    abandon_orders(reference=HOLD, now=now)

    event = AuditEvent.objects.get(action="payment.expired")
    assert (event.actor, event.target) == ("vendor:stripe", f"payment:{payment.id}")
