"""An order that was paid twice: rare, and the sandbox refuses it, so Razorpay's answers are made up here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import responses

from mindfulqalb.audit.models import AuditEvent
from payments.gateways import gateway_named
from payments.models import Payment, Refund
from payments.money import Money
from payments.reconciliation import refresh_payment, suspicious_payments
from payments.services import capture_payment
from payments.states import RefundState
from payments.tests.builders import NOW, announced, make_payment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

pytestmark = pytest.mark.django_db

URL = "https://razorpay.test"


@pytest.fixture(autouse=True)
def _made_up_gateway(settings: Settings) -> Iterator[None]:
    settings.RAZORPAY_API_URL = URL
    gateway_named.cache_clear()
    yield
    gateway_named.cache_clear()


def _attempt(payment_id: str, status: str = "captured", amount: int = 129900) -> dict[str, Any]:
    return {"id": payment_id, "status": status, "amount": amount, "currency": "INR", "captured": status == "captured"}


def _capture(payment: Payment, *attempts: dict[str, Any]) -> Payment:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/orders/{payment.provider_order_id}/payments", json={"items": list(attempts)})
        return capture_payment(payment_id=payment.id, now=NOW)


def _rows() -> list[tuple[str | None, str, Any]]:
    return list(
        Payment.objects.order_by("captured_at", "attention").values_list(
            "provider_payment_id", "attention", "duplicate_of"
        )
    )


def test_a_second_capture_is_a_row_of_its_own_and_goes_back() -> None:
    payment = make_payment(provider_order_id="order_1", is_live=False)
    _capture(payment, _attempt("pay_1"))

    found = _capture(payment, _attempt("pay_2", amount=129800), _attempt("pay_1"))

    second = Payment.objects.get(provider_payment_id="pay_2")
    assert found.provider_payment_id == "pay_1"
    assert (second.duplicate_of, second.attention, second.state) == (payment, "second_capture", "CAPTURED")
    assert (second.provider_order_id, second.captured, second.price) == (
        "order_1",
        Money(129800, "INR"),
        Money(129900, "INR"),
    )
    assert (second.reference, second.is_spendable) == ("", False)
    assert (second.item, second.is_live, second.expires_at) == (payment.item, False, payment.expires_at)
    assert [(refund.payment, refund.amount, refund.reason, refund.actor) for refund in Refund.objects.all()] == [
        (second, Money(129800, "INR"), "second_capture", "system")
    ]


def test_a_second_capture_announces_the_first_money_alone() -> None:
    payment = make_payment(provider_order_id="order_1")

    _capture(payment, _attempt("pay_1"), _attempt("pay_2"))

    assert announced() == [(f"payment:{payment.id}", {"payment_id": str(payment.id), "reference": "visit-1"})]
    captures = AuditEvent.objects.filter(action="payment.captured").order_by("details__attention")
    assert [event.details["attention"] for event in captures] == ["", "second_capture"]


def test_a_second_capture_heard_of_again_changes_nothing() -> None:
    payment = make_payment(provider_order_id="order_1")
    attempts = [_attempt("pay_2"), _attempt("pay_1"), _attempt("pay_0", "failed")]
    _capture(payment, *attempts)
    before = (_rows(), Refund.objects.count(), AuditEvent.objects.count(), announced())

    _capture(payment, *attempts)
    _capture(payment, *reversed(attempts))

    assert (_rows(), Refund.objects.count(), AuditEvent.objects.count(), announced()) == before
    assert _rows() == [("pay_2", "", None), ("pay_1", "second_capture", payment.id)]


def test_a_third_capture_is_kept_as_well() -> None:
    payment = make_payment(provider_order_id="order_1")

    _capture(payment, _attempt("pay_1"), _attempt("pay_2"), _attempt("pay_3"))

    assert sorted(str(row.provider_payment_id) for row in payment.duplicates.all()) == ["pay_2", "pay_3"]


def test_asking_about_the_second_row_finds_nothing_new() -> None:
    payment = make_payment(provider_order_id="order_1")
    _capture(payment, _attempt("pay_1"), _attempt("pay_2"))
    second = Payment.objects.get(provider_payment_id="pay_2")

    found = _capture(second, _attempt("pay_1"), _attempt("pay_2"))

    assert (found, Payment.objects.count(), Refund.objects.count()) == (second, 2, 1)


def _refund_of_second(payment: Payment) -> Refund:
    """Capture twice, and let the refund of the second money be under way at Razorpay."""
    _capture(payment, _attempt("pay_1"), _attempt("pay_2"))
    Refund.objects.update(state=RefundState.PENDING, provider_refund_id="rfnd_2")
    return Refund.objects.get()


def test_news_about_the_order_reach_the_refund_of_its_second_capture() -> None:
    payment = make_payment(provider_order_id="order_1")
    refund = _refund_of_second(payment)
    answer = {"id": "rfnd_2", "status": "processed", "amount": 129900, "currency": "INR", "notes": []}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/orders/order_1/payments", json={"items": [_attempt("pay_1"), _attempt("pay_2")]})
        mock.get(f"{URL}/v1/payments/pay_1/refunds", json={"items": []})
        mock.get(f"{URL}/v1/payments/pay_2/refunds", json={"items": [answer]})

        refresh_payment(payment_id=payment.id, now=NOW)

    refund.refresh_from_db()
    assert (refund.state, refund.settled_at) == (RefundState.PROCESSED, NOW)


def test_the_refund_of_a_second_capture_is_asked_about_while_it_is_under_way() -> None:
    refund = _refund_of_second(make_payment(provider_order_id="order_1"))

    assert suspicious_payments(now=NOW) == [refund.payment_id]
