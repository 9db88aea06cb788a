from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as configured

from payments.models import Payment
from payments.states import PaymentState

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from payments.tests.payers import Payer, RazorpayPayer, StripePayer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

ORDER = "/api/payments/create-order"
CHECKOUT = "/api/payments/create-checkout"
VERIFY = "/api/payments/verify"
CALLS = {"razorpay": ORDER, "stripe": CHECKOUT}
TRIPLE = {"razorpay_order_id": "order_1", "razorpay_payment_id": "pay_1", "razorpay_signature": "00"}


def _checkout(**overrides: Any) -> dict[str, Any]:
    """A good body of create-checkout; it is one of create-order, too."""
    return {
        "sessionType": "individual",
        "format": "video",
        "customer": {"email": "jane@example.com"},
        "successUrl": f"{configured.SITE_URL}/done",
        "cancelUrl": f"{configured.SITE_URL}/cancelled",
    } | overrides


def _without(body: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != field}


def _post(api: APIClient, path: str, body: object) -> tuple[int, dict[str, Any]]:
    response = api.post(path, body, format="json")
    return response.status_code, response.json()


def _refusal(api: APIClient, path: str, body: object) -> tuple[int, str, dict[str, Any]]:
    """Post, check the one error shape, and return what differs."""
    response = api.post(path, body, format="json")
    told = response.json()
    assert set(told) == {"success", "error", "code", "fields", "requestId"}
    assert (told["success"], told["requestId"]) == (False, response["X-Request-ID"])
    assert told["error"] != ""
    return response.status_code, told["code"], told["fields"]


def test_create_order_is_at_the_catalogues_price(api: APIClient, razorpay_payer: RazorpayPayer) -> None:
    status, told = _post(api, ORDER, {"sessionType": "individual", "format": "video", "amount": 100})

    payment = Payment.objects.get()
    assert (status, told) == (
        200,
        {"orderId": payment.provider_order_id, "amount": 129900, "currency": "INR", "keyId": "rzp_test_sandbox"},
    )
    assert razorpay_payer.books() == [(told["orderId"], 129900, "INR", str(payment.id))]
    assert (payment.item, payment.reference, payment.state) == ("individual-video", "", PaymentState.CREATED)


@pytest.mark.parametrize("body", [{"sessionType": "individual-video"}, {"sessionType": "video"}])
def test_create_order_takes_every_spelling_of_a_session(
    api: APIClient, razorpay_payer: RazorpayPayer, body: dict[str, str]
) -> None:
    status, told = _post(api, ORDER, body)

    assert (status, told["amount"], Payment.objects.get().item) == (200, 129900, "individual-video")


def test_create_order_in_dollars(api: APIClient, razorpay_payer: RazorpayPayer) -> None:
    status, told = _post(api, ORDER, {"sessionType": "individual-video", "currency": "USD"})

    assert (status, told["amount"], told["currency"]) == (200, 1600, "USD")


def test_create_checkout_makes_a_page_to_go_to(api: APIClient, stripe_payer: StripePayer) -> None:
    status, told = _post(api, CHECKOUT, _checkout())

    payment = Payment.objects.get()
    (session,) = stripe_payer.sandbox.state()["stripe"]["sessions"]
    assert (status, told) == (200, {"sessionId": session["id"], "url": session["url"]})
    assert (payment.provider_order_id, payment.checkout_url, payment.amount_minor, payment.currency) == (
        session["id"],
        session["url"],
        1600,
        "USD",
    )
    assert {name: session[name] for name in ("customer_email", "success_url", "cancel_url", "amount_total")} == {
        "customer_email": "jane@example.com",
        "success_url": f"{configured.SITE_URL}/done?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{configured.SITE_URL}/cancelled",
        "amount_total": 1600,
    }


def test_verify_answers_with_the_payment(api: APIClient, razorpay_payer: RazorpayPayer) -> None:
    _, order = _post(api, ORDER, _checkout())
    triple = razorpay_payer.sandbox.pay_razorpay(order["orderId"])

    for _ in range(2):
        assert _post(api, VERIFY, {name: triple[name] for name in TRIPLE}) == (
            200,
            {"verified": True, "paymentId": triple["razorpay_payment_id"]},
        )


@pytest.mark.parametrize("path", [ORDER, CHECKOUT])
@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"sessionType": "astrology"}, "unknown_session", "sessionType"),
        ({"sessionType": "couples", "format": "chat"}, "unknown_session", "format"),
        ({"format": "smoke signals"}, "unknown_session", "format"),
        ({"sessionType": "free", "format": None}, "nothing_to_pay", "sessionType"),
        ({"sessionType": 5}, "invalid_input", "sessionType"),
        ({"sessionType": ["individual"]}, "invalid_input", "sessionType"),
        ({"sessionType": None}, "invalid_input", "sessionType"),
        ({"sessionType": ""}, "invalid_input", "sessionType"),
        ({"sessionType": "x" * 51}, "invalid_input", "sessionType"),
        ({"sessionType": "individual\u0000"}, "invalid_input", "sessionType"),
        ({"format": {}}, "invalid_input", "format"),
        ({"currency": "EUR"}, "invalid_input", "currency"),
        ({"currency": "usd"}, "invalid_input", "currency"),
        ({"currency": ["USD"]}, "invalid_input", "currency"),
    ],
)
def test_an_order_is_refused_by_the_name_of_the_field(
    api: APIClient, path: str, change: dict[str, Any], code: str, field: str
) -> None:
    status, told, fields = _refusal(api, path, _checkout(**change))

    assert (status, told, list(fields)) == (400, code, [field])
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("path", [ORDER, CHECKOUT])
def test_an_order_needs_a_session_type(api: APIClient, path: str) -> None:
    assert _refusal(api, path, _without(_checkout(), "sessionType")) == (
        400,
        "invalid_input",
        {"sessionType": ["This field is required."]},
    )


@pytest.mark.parametrize("field", ["customer", "successUrl", "cancelUrl"])
def test_create_checkout_needs_its_fields(api: APIClient, field: str) -> None:
    assert _refusal(api, CHECKOUT, _without(_checkout(), field)) == (
        400,
        "invalid_input",
        {field: ["This field is required."]},
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"customer": {}}, "customer.email"),
        ({"customer": {"email": "jane"}}, "customer.email"),
        ({"customer": {"email": None}}, "customer.email"),
        ({"customer": "jane@example.com"}, "customer"),
        ({"customer": []}, "customer"),
        ({"successUrl": 5}, "successUrl"),
        ({"successUrl": "nowhere"}, "successUrl"),
        ({"successUrl": "javascript:alert(1)"}, "successUrl"),
        ({"successUrl": "https://evil.example/"}, "successUrl"),
        ({"successUrl": "//127.0.0.1:8000/"}, "successUrl"),
        ({"successUrl": "https://[evil"}, "successUrl"),
        ({"cancelUrl": "https://evil.example/"}, "cancelUrl"),
        ({"cancelUrl": f"{configured.SITE_URL}@evil.example/"}, "cancelUrl"),
        ({"cancelUrl": f"{configured.SITE_URL}\\@evil.example/"}, "cancelUrl"),
        ({"cancelUrl": f"{configured.SITE_URL}/{'x' * 2000}"}, "cancelUrl"),
        ({"cancelUrl": None}, "cancelUrl"),
    ],
)
def test_create_checkout_is_refused_by_the_name_of_the_field(
    api: APIClient, change: dict[str, Any], field: str
) -> None:
    status, code, fields = _refusal(api, CHECKOUT, _checkout(**change))

    assert (status, code, list(fields)) == (400, "invalid_input", [field])
    assert Payment.objects.count() == 0


@pytest.mark.parametrize("field", sorted(TRIPLE))
@pytest.mark.parametrize("value", ["", None, 5, [], {}, "x" * 300, "\u0000"])
def test_verify_is_refused_by_the_name_of_the_field(api: APIClient, field: str, value: Any) -> None:
    status, code, fields = _refusal(api, VERIFY, TRIPLE | {field: value})

    assert (status, code, list(fields)) == (400, "invalid_input", [field])


def test_verify_needs_all_three(api: APIClient) -> None:
    status, code, fields = _refusal(api, VERIFY, {})

    assert (status, code, sorted(fields)) == (400, "invalid_input", sorted(TRIPLE))


def test_verify_of_an_unknown_order(api: APIClient) -> None:
    assert _refusal(api, VERIFY, TRIPLE) == (400, "unknown_payment", {"razorpay_order_id": ["Unknown order."]})


@pytest.mark.parametrize("signature", ["0" * 64, "\u00e9" * 64])
def test_verify_of_a_forged_signature(api: APIClient, razorpay_payer: RazorpayPayer, signature: str) -> None:
    _, order = _post(api, ORDER, _checkout())
    triple = razorpay_payer.sandbox.pay_razorpay(order["orderId"])

    status, code, fields = _refusal(
        api, VERIFY, {name: triple[name] for name in TRIPLE} | {"razorpay_signature": signature}
    )

    assert (status, code, list(fields)) == (400, "invalid_signature", ["razorpay_signature"])
    assert Payment.objects.get().state == PaymentState.CREATED


def test_verify_before_the_money_is_here(api: APIClient, razorpay_payer: RazorpayPayer) -> None:
    _, order = _post(api, ORDER, _checkout())
    triple = razorpay_payer.sandbox.pay_razorpay(order["orderId"], "authorized")
    razorpay_payer.sandbox.fault("razorpay", "status", "payments.capture", status=500)

    assert _refusal(api, VERIFY, {name: triple[name] for name in TRIPLE}) == (402, "payment_required", {})


@pytest.mark.parametrize("kind", ["html_502", "rate_limited"])
def test_an_order_while_the_gateway_is_down_can_be_asked_for_again(api: APIClient, payer: Payer, kind: str) -> None:
    payer.sandbox.fault(payer.name, kind, times=None)

    assert _refusal(api, CALLS[payer.name], _checkout()) == (503, "unavailable", {})
    response = api.post(CALLS[payer.name], _checkout(), format="json")
    assert int(response["Retry-After"]) > 0

    payer.sandbox.clear_faults()
    assert _post(api, CALLS[payer.name], _checkout())[0] == 200


def test_verify_while_the_gateway_is_down(api: APIClient, razorpay_payer: RazorpayPayer) -> None:
    _, order = _post(api, ORDER, _checkout())
    triple = razorpay_payer.sandbox.pay_razorpay(order["orderId"])
    razorpay_payer.sandbox.fault("razorpay", "refuse", times=None)

    assert _refusal(api, VERIFY, {name: triple[name] for name in TRIPLE}) == (503, "unavailable", {})
    razorpay_payer.sandbox.clear_faults()
    assert _post(api, VERIFY, {name: triple[name] for name in TRIPLE})[0] == 200


@pytest.mark.parametrize("path", [ORDER, CHECKOUT, VERIFY])
def test_too_many_requests_of_one_address(api: APIClient, settings: Settings, path: str) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"payment": "2/m"}

    answers = [_refusal(api, path, {})[:2] for _ in range(3)]

    assert answers == [(400, "invalid_input"), (400, "invalid_input"), (429, "too_many_requests")]
    assert int(api.post(path, {}, format="json")["Retry-After"]) > 0


def test_too_many_requests_for_one_email(api: APIClient, settings: Settings) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"email": "1/m"}
    body = _checkout(sessionType="free")

    answers = [_refusal(api, CHECKOUT, body)[0] for _ in range(2)]
    other = _refusal(api, CHECKOUT, body | {"customer": {"email": "john@example.com"}})[0]

    assert (answers, other) == ([400, 429], 400)


@pytest.mark.parametrize("path", [ORDER, CHECKOUT, VERIFY])
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_payments_are_posted(api: APIClient, path: str, method: str) -> None:
    response = getattr(api, method)(path)

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", [ORDER, CHECKOUT, VERIFY])
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff"])
def test_a_body_that_cannot_be_read(api: APIClient, path: str, body: bytes) -> None:
    response = api.post(path, body, content_type="application/json")

    assert (response.status_code, response.json()["success"]) == (400, False)


def test_a_stale_token_does_not_stop_a_payment(api: APIClient, razorpay_payer: RazorpayPayer) -> None:
    response = api.post(ORDER, _checkout(), format="json", headers={"Authorization": "Bearer of.an.earlier.day"})

    assert response.status_code == 200
