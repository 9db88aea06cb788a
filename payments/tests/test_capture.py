from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment, Refund
from payments.money import Money
from payments.services import capture_payment, request_order, start_payment
from payments.states import PaymentState
from payments.tests.builders import CHECKOUT, NOW, announced, make_order, make_payment

if TYPE_CHECKING:
    from pytest_django import Settings

    from payments.tests.payers import Payer, RazorpayPayer, StripePayer

pytestmark = pytest.mark.django_db


def _order_id(payment: Payment) -> str:
    return str(payment.provider_order_id)


def _note(payment: Payment) -> tuple[str, dict[str, Any]]:
    """What the outbox says about captured money."""
    return f"payment:{payment.id}", {"payment_id": str(payment.id), "reference": "visit-1"}


def _state(payment: Payment) -> str:
    payment.refresh_from_db()
    return payment.state


def test_start_payment_writes_the_price_down_before_a_gateway_is_asked(settings: Settings) -> None:
    settings.HOLD_MINUTES = 7

    payment = start_payment(
        gateway="stripe", item="couples-video", price=Money(2500, "USD"), reference="visit-1", now=NOW
    )

    stored = Payment.objects.get(id=payment.id)
    assert (stored.gateway, stored.item, stored.price, stored.reference) == (
        "stripe",
        "couples-video",
        Money(2500, "USD"),
        "visit-1",
    )
    assert (stored.state, stored.provider_order_id, stored.expires_at) == ("CREATED", None, NOW + timedelta(minutes=7))


def test_request_order_keeps_the_order_under_the_payments_id(payer: Payer) -> None:
    payment = make_order(payer)

    stored = Payment.objects.get(id=payment.id)
    assert payer.books() == [
        (stored.provider_order_id, payer.price.amount_minor, payer.price.currency, str(payment.id))
    ]
    assert stored.checkout_url.startswith(payer.sandbox.url) is (payer.name == "stripe")


def test_request_order_without_an_answer_leaves_a_payment_without_an_order(payer: Payer, now: datetime) -> None:
    payment = start_payment(gateway=payer.name, item="x", price=payer.price, reference="", now=now)
    payer.sandbox.fault(payer.name, "refuse", payer.calls["create"], times=None)

    with pytest.raises(ProviderError):
        request_order(payment=payment, title="Individual session", checkout=CHECKOUT)

    payment.refresh_from_db()
    assert (payment.state, payment.provider_order_id, payment.checkout_url) == ("CREATED", None, "")


def test_capture_payment_takes_note_of_the_money(payer: Payer) -> None:
    payment = make_order(payer)
    paid_id = payer.pay(_order_id(payment))

    found = capture_payment(payment_id=payment.id, now=NOW)

    stored = Payment.objects.get(id=payment.id)
    assert found == stored
    assert (stored.state, stored.provider_payment_id, stored.captured_at) == ("CAPTURED", paid_id, NOW)
    assert (stored.captured, stored.price, stored.attention) == (payer.price, payer.price, "")
    assert announced() == [_note(payment)]


def test_capture_payment_leaves_a_trace(payer: Payer) -> None:
    payment = make_order(payer)
    payer.pay(_order_id(payment))

    capture_payment(payment_id=payment.id, now=NOW)

    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.target, event.occurred_at) == (
        "payment.captured",
        f"vendor:{payer.name}",
        f"payment:{payment.id}",
        NOW,
    )
    assert event.details == {
        "amount": payer.price.amount_minor,
        "currency": payer.price.currency,
        "attention": "",
    }


def test_capture_payment_twice_changes_nothing_more(payer: Payer) -> None:
    payment = make_order(payer)
    payer.pay(_order_id(payment))
    capture_payment(payment_id=payment.id, now=NOW)
    before = Payment.objects.values().get()

    capture_payment(payment_id=payment.id, now=NOW + timedelta(hours=1))

    assert Payment.objects.values().get() == before
    assert announced() == [_note(payment)]
    assert AuditEvent.objects.count() == 1


def test_capture_payment_of_an_order_that_nobody_paid_changes_nothing(payer: Payer) -> None:
    payment = make_order(payer)

    assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.CREATED
    assert (OutboxMessage.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_capture_payment_without_an_order_asks_nobody(payer: Payer) -> None:
    payment = make_payment(gateway=payer.name, provider_order_id=None)

    assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.CREATED
    assert payer.sandbox.calls(f"{payer.name}.{payer.calls['collect']}") == 0


def test_capture_payment_follows_pending_to_captured(payer: Payer) -> None:
    payment = make_order(payer)
    payer.pay(_order_id(payment), "pending")

    assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.PENDING
    assert announced() == []
    payer.finish(_order_id(payment))
    assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.CAPTURED
    assert announced() == [_note(payment)]


def test_capture_payment_of_a_failed_attempt_announces_nothing(payer: Payer) -> None:
    payment = make_order(payer)
    payer.pay(_order_id(payment), "failed")

    for _ in range(2):
        assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.FAILED
    assert _state(payment) == PaymentState.FAILED
    assert announced() == []


def test_capture_payment_of_a_second_attempt_after_a_failed_one(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    razorpay_payer.pay(_order_id(payment), "failed")
    capture_payment(payment_id=payment.id, now=NOW)

    paid_id = razorpay_payer.pay(_order_id(payment))

    assert capture_payment(payment_id=payment.id, now=NOW).provider_payment_id == paid_id
    assert announced() == [_note(payment)]


def test_capture_payment_believes_a_bank_that_changed_its_mind(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    paid_id = razorpay_payer.pay(_order_id(payment), "failed")
    assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.FAILED

    razorpay_payer.sandbox.settle("razorpay/payments", paid_id, "captured")

    found = capture_payment(payment_id=payment.id, now=NOW)
    assert (found.state, found.provider_payment_id) == (PaymentState.CAPTURED, paid_id)
    assert announced() == [_note(payment)]


@pytest.mark.parametrize("state", [PaymentState.EXPIRED, PaymentState.FAILED, PaymentState.PENDING])
def test_capture_payment_takes_late_money_whatever_was_thought_of_it(payer: Payer, state: PaymentState) -> None:
    payment = make_order(payer)
    payer.pay(_order_id(payment))
    Payment.objects.filter(id=payment.id).update(state=state)

    assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.CAPTURED
    assert announced() == [_note(payment)]


def test_capture_payment_hears_of_a_failed_attempt_at_what_is_over(payer: Payer) -> None:
    payment = make_order(payer)
    payer.pay(_order_id(payment), "failed")
    Payment.objects.filter(id=payment.id).update(state=PaymentState.EXPIRED)

    assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.EXPIRED
    assert announced() == []


@pytest.mark.parametrize(
    ("fault", "figures", "reason"),
    [
        ({"kind": "amount_altered", "amount": 100}, (100, None), "amount_mismatch"),
        ({"kind": "currency_altered", "currency": "EUR"}, (None, "EUR"), "currency_mismatch"),
    ],
)
def test_capture_payment_of_other_figures_waits_for_a_person(
    payer: Payer, fault: dict[str, Any], figures: tuple[int | None, str | None], reason: str
) -> None:
    payment = make_order(payer)
    payer.sandbox.fault(payer.name, call="payments.pay" if payer.name == "razorpay" else "sessions.pay", **fault)
    payer.pay(_order_id(payment))

    capture_payment(payment_id=payment.id, now=NOW)
    found = capture_payment(payment_id=payment.id, now=NOW)

    amount, currency = figures
    assert (found.state, found.attention, found.is_spendable) == ("CAPTURED", reason, False)
    assert found.captured == Money(amount or payer.price.amount_minor, currency or payer.price.currency)
    assert found.price == payer.price
    assert announced() == []
    assert AuditEvent.objects.get().details["attention"] == reason


def test_capture_payment_keeps_what_it_knows_when_the_gateway_is_silent(payer: Payer) -> None:
    payment = make_order(payer)
    payer.pay(_order_id(payment))
    payer.sandbox.fault(payer.name, "refuse", payer.calls["collect"], times=None)

    with pytest.raises(ProviderError):
        capture_payment(payment_id=payment.id, now=NOW)

    assert _state(payment) == PaymentState.CREATED


def _paid_twice(payer: RazorpayPayer) -> tuple[Payment, list[str]]:
    """Two attempts at one order, both of which the bank honours in the end, as the vendor's pages say may happen."""
    payment = make_order(payer)
    first = payer.pay(_order_id(payment), "pending")
    second = payer.pay(_order_id(payment))
    return payment, [second, first]


def test_capture_payment_of_a_second_attempt_that_is_given_back_by_the_gateway_keeps_one_row(
    razorpay_payer: RazorpayPayer,
) -> None:
    payment, (second, first) = _paid_twice(razorpay_payer)
    razorpay_payer.sandbox.settle("razorpay/payments", first, "captured")

    found = capture_payment(payment_id=payment.id, now=NOW)

    assert (found.provider_payment_id, Payment.objects.count(), Refund.objects.count()) == (second, 1, 0)


def test_capture_payment_ignores_a_failed_attempt_after_the_money_came(razorpay_payer: RazorpayPayer) -> None:
    payment, (second, first) = _paid_twice(razorpay_payer)
    capture_payment(payment_id=payment.id, now=NOW)
    razorpay_payer.sandbox.settle("razorpay/payments", first, "failed")

    found = capture_payment(payment_id=payment.id, now=NOW)

    assert (found.state, found.provider_payment_id, Payment.objects.count()) == ("CAPTURED", second, 1)


def test_capture_payment_of_a_closed_session_has_failed(stripe_payer: StripePayer) -> None:
    payment = make_order(stripe_payer)
    stripe_payer.pay(_order_id(payment), "pending")
    capture_payment(payment_id=payment.id, now=NOW)
    stripe_payer.sandbox.settle("stripe/sessions", _order_id(payment), "failed")

    assert capture_payment(payment_id=payment.id, now=NOW).state == PaymentState.FAILED


@pytest.mark.parametrize("outcome", ["pending", "failed"])
def test_capture_payment_puts_every_attempt_on_record_once(payer: Payer, outcome: str) -> None:
    payment = make_order(payer)
    payer.pay(_order_id(payment), outcome)

    for _ in range(2):
        capture_payment(payment_id=payment.id, now=NOW)

    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.target) == (
        f"payment.{outcome}",
        f"vendor:{payer.name}",
        f"payment:{payment.id}",
    )
