from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mindfulqalb.vendors.errors import ProviderError
from payments.services import PaymentNotCaptured, UnknownPayment, capture_payment, find_payment, payer_email
from payments.states import PaymentState
from payments.tests.builders import (
    CHECKOUT,
    NOW,
    announced,
    make_captured_payment,
    make_order,
    make_payment,
    make_second_capture,
)

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess
    from payments.tests.payers import Payer, RazorpayPayer, StripePayer

pytestmark = pytest.mark.django_db


def test_find_payment_knows_captured_money_without_asking(payer: Payer) -> None:
    payment = make_order(payer)
    paid_id = payer.pay(str(payment.provider_order_id))
    capture_payment(payment_id=payment.id, now=NOW)
    payer.sandbox.fault(payer.name, "refuse", times=None)

    assert find_payment(provider_id=paid_id, now=NOW) == payment


def test_find_payment_asks_the_gateway_when_no_webhook_has_come_yet(payer: Payer) -> None:
    payment = make_order(payer)
    paid_id = payer.pay(str(payment.provider_order_id))

    found = find_payment(provider_id=paid_id, now=NOW)

    assert (found, found.state, found.provider_payment_id) == (payment, PaymentState.CAPTURED, paid_id)
    assert len(announced()) == 1


def test_find_payment_by_the_checkout_session(stripe_payer: StripePayer) -> None:
    payment, _other = make_order(stripe_payer), make_order(stripe_payer)
    stripe_payer.pay(str(payment.provider_order_id))

    for _ in range(2):
        assert find_payment(provider_id=str(payment.provider_order_id), now=NOW) == payment


@pytest.mark.parametrize("outcome", ["pending", "failed"])
def test_find_payment_without_money_is_refused(payer: Payer, outcome: str) -> None:
    payment = make_order(payer)
    paid_id = payer.pay(str(payment.provider_order_id), outcome)

    with pytest.raises(PaymentNotCaptured) as error:
        find_payment(provider_id=paid_id, now=NOW)

    assert (error.value.status, error.value.fields) == (402, {"paymentId": ["This payment has not been completed."]})


def test_find_payment_of_a_session_that_nobody_paid_is_refused(stripe_payer: StripePayer) -> None:
    payment = make_order(stripe_payer)

    with pytest.raises(PaymentNotCaptured):
        find_payment(provider_id=str(payment.provider_order_id), now=NOW)


def test_find_payment_that_the_gateway_does_not_know_is_refused(payer: Payer) -> None:
    make_order(payer)

    for unknown in (payer.unknown_payment_id, payer.unknown_payment_id + "x"):
        with pytest.raises(UnknownPayment) as error:
            find_payment(provider_id=unknown, now=NOW)
        assert error.value.fields == {"paymentId": ["We do not know this payment."]}


def test_find_payment_of_an_unknown_session_is_refused(stripe_payer: StripePayer) -> None:
    with pytest.raises(UnknownPayment):
        find_payment(provider_id=stripe_payer.unknown_order_id, now=NOW)


def test_find_payment_of_a_genuine_payment_that_is_not_ours_is_refused(payer: Payer) -> None:
    """Another shop on the same account."""
    payment = make_order(payer)
    paid_id = payer.pay(str(payment.provider_order_id))
    payment.delete()

    with pytest.raises(UnknownPayment):
        find_payment(provider_id=paid_id, now=NOW)


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "pay_",
        "pay",
        "cs",
        "xyz_1",
        "order_00000000000001",
        "PAY_00000000000001",
        "pay_1/../../orders/order_00000000000001",
        "pay_..%2Forders",
        "pay_1?expand=1",
        "pay_1#",
        "pay_1 ",
        "pay_1\n",
        "pay_\u0967",
        "pay_1&payment_intent=pi_1",
        "pi_1/../x",
        "cs_*",
        "None",
    ],
)
def test_find_payment_by_what_is_no_payment_id_asks_nobody(sandbox: SandboxProcess, forged: str) -> None:
    make_payment(provider_order_id=None)
    make_captured_payment(provider_order_id="order_00000000000001")

    with pytest.raises(UnknownPayment) as error:
        find_payment(provider_id=forged, now=NOW)

    assert error.value.fields == {"paymentId": ["This is not a payment id."]}
    assert sandbox.state()["calls"]["counts"] == {}


def test_find_payment_does_not_take_one_gateways_id_for_the_others(stripe_payer: StripePayer) -> None:
    make_captured_payment(gateway="stripe", provider_payment_id="pay_00000000000001")

    with pytest.raises(UnknownPayment):
        find_payment(provider_id="pay_00000000000001", now=NOW)


def test_find_payment_finds_a_second_capture_as_what_it_is(razorpay_payer: RazorpayPayer) -> None:
    first = make_captured_payment(provider_order_id="order_1")
    second = make_captured_payment(provider_order_id="order_1", duplicate_of=first, attention="second_capture")

    found = find_payment(provider_id=str(second.provider_payment_id), now=NOW)

    assert (found, found.is_spendable) == (second, False)


def test_find_payment_while_the_gateway_is_silent_is_a_provider_error(payer: Payer) -> None:
    payer.sandbox.fault(payer.name, "refuse", times=None)

    with pytest.raises(ProviderError):
        find_payment(provider_id=payer.unknown_payment_id, now=NOW)


def test_find_payment_takes_no_row_without_an_order_for_what_nobody_knows(payer: Payer) -> None:
    make_payment(gateway=payer.name, provider_order_id=None)

    with pytest.raises(UnknownPayment):
        find_payment(provider_id=payer.unknown_payment_id, now=NOW)


def test_find_payment_of_an_order_that_was_paid_twice_is_about_its_first_money(stripe_payer: StripePayer) -> None:
    payment = make_order(stripe_payer)
    stripe_payer.pay(str(payment.provider_order_id))
    capture_payment(payment_id=payment.id, now=NOW)
    make_second_capture(payment)

    assert find_payment(provider_id=str(payment.provider_order_id), now=NOW) == payment


def test_payer_email_asks_the_gateway_for_what_was_paid_and_nobody_for_the_rest(payer: Payer) -> None:
    payment = make_order(payer)
    payer.pay(str(payment.provider_order_id))
    assert payer_email(payment=payment) == ""
    paid = capture_payment(payment_id=payment.id, now=NOW)

    assert payer_email(payment=paid) == ("" if payer.name == "razorpay" else CHECKOUT.payer_email)

    payer.sandbox.fault(payer.name, "refuse", times=None)
    with pytest.raises(ProviderError):
        payer_email(payment=paid)
