from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from payments.models import Payment
from payments.services import InvalidSignature, PaymentNotCaptured, UnknownPayment, capture_payment, verify_return
from payments.states import PaymentState
from payments.tests.builders import NOW, announced, make_order, make_payment, make_second_capture

if TYPE_CHECKING:
    from payments.tests.payers import RazorpayPayer

pytestmark = pytest.mark.django_db


def _pay(payer: RazorpayPayer, payment: Payment, outcome: str = "captured") -> tuple[str, str]:
    """Pay and return what the dialog hands to the browser: payment id and signature."""
    told = payer.sandbox.pay_razorpay(str(payment.provider_order_id), outcome)
    return told["razorpay_payment_id"], told["razorpay_signature"]


def _verify(order_id: str | None, payment_id: str, signature: str) -> Payment:
    return verify_return(provider_order_id=str(order_id), provider_payment_id=payment_id, signature=signature, now=NOW)


@pytest.mark.parametrize("outcome", ["captured", "authorized"])
def test_verify_return_brings_the_money_in(razorpay_payer: RazorpayPayer, outcome: str) -> None:
    payment = make_order(razorpay_payer)
    payment_id, signature = _pay(razorpay_payer, payment, outcome)

    found = _verify(payment.provider_order_id, payment_id, signature)

    assert (found.id, found.state, found.provider_payment_id) == (payment.id, PaymentState.CAPTURED, payment_id)
    assert len(announced()) == 1


def test_verify_return_after_the_webhook_asks_nobody_again(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    payment_id, signature = _pay(razorpay_payer, payment)
    capture_payment(payment_id=payment.id, now=NOW)
    razorpay_payer.sandbox.fault("razorpay", "refuse", times=None)

    found = _verify(payment.provider_order_id, payment_id, signature)

    assert (found.id, found.state) == (payment.id, PaymentState.CAPTURED)
    assert len(announced()) == 1


@pytest.mark.parametrize("order_id", ["order_unknown", "", "None"])
def test_verify_return_of_an_unknown_order_is_refused(razorpay_payer: RazorpayPayer, order_id: str) -> None:
    make_payment(provider_order_id=None)

    with pytest.raises(UnknownPayment) as error:
        _verify(order_id, "pay_1", "0" * 64)

    assert error.value.fields == {"razorpay_order_id": ["Unknown order."]}


def test_verify_return_of_the_other_gateways_order_is_refused(razorpay_payer: RazorpayPayer) -> None:
    make_payment(gateway="stripe", provider_order_id="order_1")

    with pytest.raises(UnknownPayment):
        _verify("order_1", "pay_1", "0" * 64)


def test_verify_return_with_another_orders_triple_is_refused(razorpay_payer: RazorpayPayer) -> None:
    cheap, dear = make_order(razorpay_payer), make_order(razorpay_payer)
    payment_id, signature = _pay(razorpay_payer, cheap)

    with pytest.raises(InvalidSignature) as error:
        _verify(dear.provider_order_id, payment_id, signature)

    assert error.value.fields == {"razorpay_signature": ["The signature does not match this payment."]}
    assert set(Payment.objects.values_list("state", flat=True)) == {PaymentState.CREATED}


def test_verify_return_with_another_payments_signature_is_refused(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    _, signature = _pay(razorpay_payer, payment)

    with pytest.raises(InvalidSignature):
        _verify(payment.provider_order_id, "pay_of_somebody", signature)


def test_verify_return_with_a_right_signature_and_no_money_is_not_believed(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    payment_id, signature = _pay(razorpay_payer, payment, "authorized")
    razorpay_payer.sandbox.fault("razorpay", "status", "payments.capture", status=500)

    with pytest.raises(PaymentNotCaptured) as error:
        _verify(payment.provider_order_id, payment_id, signature)

    payment.refresh_from_db()
    assert (error.value.status, payment.state) == (402, PaymentState.PENDING)


def test_verify_return_finds_the_order_among_others(razorpay_payer: RazorpayPayer) -> None:
    for payment in [make_order(razorpay_payer) for _ in range(3)]:
        payment_id, signature = _pay(razorpay_payer, payment)

        assert _verify(payment.provider_order_id, payment_id, signature) == payment


def test_verify_return_of_an_order_that_was_paid_twice_is_about_its_first_money(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    payment_id, signature = _pay(razorpay_payer, payment)
    capture_payment(payment_id=payment.id, now=NOW)
    make_second_capture(payment)

    assert _verify(payment.provider_order_id, payment_id, signature) == payment
