"""Razorpay sends a browser back by a form of another site's: no cookie, no page of ours, and nothing to be believed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from django.test import Client

from payments.return_urls import return_page
from payments.states import PaymentState
from payments.tests.builders import announced, make_captured_payment, make_order, make_payment

if TYPE_CHECKING:
    from django.http import HttpResponse

    from payments.models import Payment
    from payments.tests.payers import RazorpayPayer

pytestmark = pytest.mark.django_db
PATH = "/api/payments/razorpay-return"
FOREIGN = {"Origin": "https://api.razorpay.com", "Sec-Fetch-Site": "cross-site"}
CANCELLED, UNKNOWN = "/?cancelled=razorpay", "/?returned=razorpay"


def _post(fields: dict[str, str], query: str = "") -> HttpResponse:
    """Post a form as a browser does that comes from another site, to a server that checks for forgery."""
    browser = Client(enforce_csrf_checks=True, headers=FOREIGN)
    form = "application/x-www-form-urlencoded"
    return browser.post(PATH + query, urlencode(fields), content_type=form)  # type: ignore[return-value]


def _triple(payer: RazorpayPayer, payment: Payment, outcome: str = "captured") -> dict[str, str]:
    told = payer.sandbox.pay_razorpay(str(payment.provider_order_id), outcome)
    names = ("razorpay_payment_id", "razorpay_order_id", "razorpay_signature")
    return {name: told[name] for name in names if told[name]}


def _failure(order_id: object) -> dict[str, str]:
    """The form after a failed attempt."""
    return {
        "error[code]": "BAD_REQUEST_ERROR",
        "error[description]": "Declined",
        "error[metadata]": json.dumps({"payment_id": "pay_1", "order_id": order_id}),
    }


def test_a_paid_return_takes_note_of_the_money_and_goes_on_to_our_page(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    triple = _triple(razorpay_payer, payment)

    response = _post(triple)

    payment.refresh_from_db()
    assert (payment.state, len(announced())) == (PaymentState.CAPTURED, 1)
    assert (response.status_code, response["Location"]) == (
        303,
        f"/?paid=razorpay&order_id={payment.provider_order_id}&payment_id={payment.provider_payment_id}",
    )


def test_a_paid_return_a_second_time_is_the_same(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    triple = _triple(razorpay_payer, payment)

    assert _post(triple)["Location"] == _post(triple)["Location"]
    assert len(announced()) == 1


def test_a_forged_return_learns_and_changes_nothing(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    triple = _triple(razorpay_payer, payment)

    response = _post(triple | {"razorpay_signature": "0" * 64})

    payment.refresh_from_db()
    assert (payment.state, response.status_code, response["Location"]) == (PaymentState.CREATED, 303, UNKNOWN)


def test_a_failed_return_offers_to_pay_again(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    razorpay_payer.pay(str(payment.provider_order_id), "failed")

    response = _post(_failure(payment.provider_order_id))

    payment.refresh_from_db()
    assert (payment.state, response.status_code, response["Location"]) == (PaymentState.FAILED, 303, CANCELLED)


def test_a_failed_return_of_an_order_that_was_paid_after_all_is_paid_and_names_no_payment(
    razorpay_payer: RazorpayPayer,
) -> None:
    payment = make_order(razorpay_payer)
    razorpay_payer.pay(str(payment.provider_order_id))

    page = _post(_failure(payment.provider_order_id))["Location"]

    payment.refresh_from_db()
    assert (payment.state, page) == (
        PaymentState.CAPTURED,
        f"/?paid=razorpay&order_id={payment.provider_order_id}",
    )


def test_a_return_while_the_bank_has_not_answered_waits(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    razorpay_payer.pay(str(payment.provider_order_id), "pending")

    assert _post(_failure(payment.provider_order_id))["Location"] == UNKNOWN


def test_a_return_while_the_gateway_is_silent_waits(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    triple = _triple(razorpay_payer, payment)
    razorpay_payer.sandbox.fault("razorpay", "refuse", "orders.payments", times=None)

    assert (_post(triple)["Location"], _post(_failure(payment.provider_order_id))["Location"]) == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"razorpay_signature": "x"},
        {"razorpay_signature": "é" * 64, "razorpay_order_id": "order_1", "razorpay_payment_id": "pay_1"},
        {"razorpay_signature": "x", "razorpay_order_id": "order_\x00", "razorpay_payment_id": "pay_1"},
        {"razorpay_signature": "x", "razorpay_order_id": "order_" + "1" * 5000, "razorpay_payment_id": "pay_1"},
        {"error[metadata]": "{"},
        _failure("order_unknown"),
        _failure("order_\x00"),
        _failure(["order_1"]),
        _failure(None),
    ],
)
def test_a_return_of_nonsense_goes_to_our_page_like_any_other(fields: dict[str, str]) -> None:
    response = _post(fields)

    assert (response.status_code, response["Location"]) == (303, UNKNOWN)


@pytest.mark.parametrize("name", ["next", "url", "redirect", "callback_url", "successUrl"])
def test_a_return_is_no_open_redirect(name: str, razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    elsewhere = {name: "https://evil.example/"}

    for fields in ({}, _triple(razorpay_payer, payment)):
        target = urlsplit(_post(fields | elsewhere, f"?{name}=https://evil.example/")["Location"])
        assert (target.scheme, target.netloc, target.path) == ("", "", "/")


def test_a_return_of_another_shape_is_refused_and_never_followed() -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.get(PATH).status_code == 405
    assert client.post(PATH, "{}", content_type="application/json").status_code == 415


@pytest.mark.parametrize(
    ("state", "page"),
    [("CREATED", CANCELLED), ("FAILED", CANCELLED), ("PENDING", UNKNOWN), ("EXPIRED", UNKNOWN)],
)
def test_every_state_has_its_page(state: str, page: str) -> None:
    assert [return_page(make_payment(state=state), is_signed=is_signed) for is_signed in (True, False)] == [page] * 2


def test_the_page_of_a_payment_is_told_its_ids_and_no_more() -> None:
    payment = make_captured_payment(provider_order_id="order_&x=1", provider_payment_id="pay_1")

    assert return_page(payment, is_signed=True) == "/?paid=razorpay&order_id=order_%26x%3D1&payment_id=pay_1"
