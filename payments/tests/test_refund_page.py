"""Refund of a part in the admin: what is left, the amount typed twice, and one refund however often it is clicked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.roles import ADMINISTRATOR, FINANCE
from mindfulqalb.staff.tests.builders import make_member
from payments.models import Payment, Refund
from payments.refunds import ChangedMeanwhile, request_refund
from payments.states import RefundReason
from payments.tests.builders import NOW, make_captured_payment, make_payment

if TYPE_CHECKING:
    from django.test import Client

    from mindfulqalb.staff.models import StaffMember

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def member(client: Client) -> StaffMember:
    member = make_member(FINANCE)
    client.force_login(member)
    return member


@pytest.fixture
def payment() -> Payment:
    return make_captured_payment()


def _address(payment: Payment, page: str = "refund") -> str:
    return reverse(f"admin:payments_payment_{page}", args=[payment.id])


def _typed(payment: Payment, amount: str, **more: str) -> dict[str, str]:
    return {"left": str(payment.captured_amount_minor), "amount": amount, "again": amount} | more


def _refund(client: Client, payment: Payment, data: dict[str, str]) -> tuple[int, list[str]]:
    """Send the form, and tell how much is on its way back in all, and what was said."""
    response = client.post(_address(payment), data, follow=True)
    said = [str(message) for message in response.context["messages"]]
    return sum(Refund.objects.values_list("amount_minor", flat=True)), said


def test_page_says_what_was_paid_and_what_is_left(client: Client, payment: Payment) -> None:
    request_refund(payment_id=payment.id, amount_minor=100, reason=RefundReason.STAFF, actor="staff:1", now=NOW)

    page = client.get(_address(payment)).content.decode()

    assert (str(payment.captured) in page, "INR 1,298.00 of it is left" in page) == (True, True)


def test_half_goes_back_and_it_is_said(client: Client, payment: Payment, member: StaffMember) -> None:
    refunded, said = _refund(client, payment, _typed(payment, "649.50"))

    event = AuditEvent.objects.get(action="refund.requested")
    assert (refunded, event.actor) == (64950, f"staff:{member.id}")
    assert said == ["INR 649.50 goes back to the client; INR 649.50 of this payment is left."]


def test_second_click_refunds_no_second_half(client: Client, payment: Payment) -> None:
    data = _typed(payment, "649.50")

    _refund(client, payment, data)
    refunded, said = _refund(client, payment, data)

    assert (refunded, said) == (
        64950,
        ["Meanwhile some of this payment has gone back. Please look again at what is left."],
    )


def test_service_refuses_what_was_decided_on_other_figures(payment: Payment) -> None:
    with pytest.raises(ChangedMeanwhile):
        request_refund(
            payment_id=payment.id, amount_minor=1, reason=RefundReason.STAFF, actor="staff:1", now=NOW, seen_left=1
        )

    assert Refund.objects.count() == 0


@pytest.mark.parametrize(
    ("amount", "again"),
    [
        ("649.50", "64.95"),
        ("0", "0"),
        ("-1", "-1"),
        ("1.005", "1.005"),
        ("NaN", "NaN"),
        ("", ""),
        ("1e3", ""),
        ("a", "a"),
    ],
)
def test_slip_of_the_finger_refunds_nothing(client: Client, payment: Payment, amount: str, again: str) -> None:
    response = client.post(_address(payment), _typed(payment, amount, again=again))

    assert (response.status_code, "errorlist" in response.content.decode(), Refund.objects.count()) == (200, True, 0)


def test_more_than_is_left_refunds_nothing(client: Client, payment: Payment) -> None:
    assert _refund(client, payment, _typed(payment, "1299.01")) == (
        0,
        ["This is more than what is left of the payment."],
    )


def test_payment_without_money_has_nothing_to_refund(client: Client) -> None:
    payment = make_payment()

    page = client.get(_address(payment, "change")).content.decode()

    assert "Nothing is left to refund." in page
    assert _refund(client, payment, {"left": "0", "amount": "1", "again": "1"}) == (
        0,
        ["Nothing of this payment is left to refund."],
    )


def test_page_of_the_payment_leads_there(client: Client, payment: Payment) -> None:
    assert _address(payment) in client.get(_address(payment, "change")).content.decode()


def test_unknown_payment_is_not_there(client: Client) -> None:
    assert client.get("/admin/payments/payment/00000000-0000-0000-0000-000000000000/refund/").status_code == 404


def test_administrator_may_refund_too(client: Client, payment: Payment) -> None:
    client.force_login(make_member(ADMINISTRATOR, username="ravi"))

    assert client.get(_address(payment)).status_code == 200
