"""What is Stripe's own."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import responses
from django.utils import timezone

from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.webhooks.services import InvalidWebhook
from payments.gateways.base import RefundRequest
from payments.gateways.stripe import StripeGateway
from payments.money import Money
from payments.states import PaymentState
from payments.tests.builders import make_request
from payments.tests.payers import told

if TYPE_CHECKING:
    from payments.gateways.base import Charge
    from payments.tests.payers import StripePayer

URL = "https://stripe.test"
PRICE = Money(1600, "USD")
SESSION_URL = f"{URL}/v1/checkout/sessions/cs_1"


def _gateway() -> StripeGateway:
    """A gateway whose answers a test makes up."""
    return StripeGateway(secret_key="sk_test_1", webhook_secrets=["w"], base_url=URL)


def _collect(**overrides: Any) -> list[Charge]:
    """Collect a session that Stripe shows like this."""
    session = {
        "id": "cs_1",
        "object": "checkout.session",
        "client_reference_id": "r1",
        "livemode": False,
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 1600,
        "currency": "usd",
        "payment_intent": {"id": "pi_1", "object": "payment_intent", "status": "succeeded"},
    }
    with responses.RequestsMock() as mock:
        mock.get(SESSION_URL, json=session | overrides)
        return _gateway().collect("cs_1", PRICE)


def _intent(status: str) -> dict[str, str]:
    return {"id": "pi_1", "object": "payment_intent", "status": status}


def _order(payer: StripePayer, **overrides: Any) -> str:
    return payer.gateway().create_order(make_request(PRICE, **overrides)).provider_order_id


def _session(payer: StripePayer) -> dict[str, Any]:
    (session,) = payer.sandbox.state()["stripe"]["sessions"]
    return dict(session)


def test_a_session_says_what_it_is_for_and_where_to_go(stripe_payer: StripePayer) -> None:
    order = stripe_payer.gateway().create_order(
        make_request(PRICE, receipt="r1", success_url="http://127.0.0.1/ok?session_id={CHECKOUT_SESSION_ID}")
    )

    session = _session(stripe_payer)
    assert order.checkout_url == session["url"]
    assert {name: session[name] for name in ("client_reference_id", "metadata", "customer_email", "success_url")} == {
        "client_reference_id": "r1",
        "metadata": {"payment": "r1"},
        "customer_email": "jane@example.com",
        "success_url": "http://127.0.0.1/ok?session_id={CHECKOUT_SESSION_ID}",
    }


def test_a_session_lets_stripe_change_no_price_and_asks_for_the_address_that_india_wants(
    stripe_payer: StripePayer,
) -> None:
    _order(stripe_payer)

    session = _session(stripe_payer)
    assert (session["adaptive_pricing"], session["billing_address_collection"]) == ({"enabled": False}, "required")


def test_the_payment_intent_carries_our_receipt_and_a_description(stripe_payer: StripePayer) -> None:
    stripe_payer.pay(_order(stripe_payer, receipt="r1"))

    (intent,) = stripe_payer.sandbox.state()["stripe"]["paymentIntents"]
    assert (intent["metadata"], intent["description"]) == ({"payment": "r1"}, "Individual session")


def test_a_session_without_an_email_sends_none(stripe_payer: StripePayer) -> None:
    _order(stripe_payer, payer_email="")

    assert _session(stripe_payer)["customer_email"] is None


@pytest.mark.parametrize("minutes", [-60, 0, 15, 29, 30])
def test_a_session_never_ends_sooner_than_stripe_allows(stripe_payer: StripePayer, minutes: int) -> None:
    before = int(time.time())

    _order(stripe_payer, expires_at=timezone.now() + timedelta(minutes=minutes))

    session = _session(stripe_payer)
    assert session["expires_at"] - session["created"] >= 30 * 60
    assert session["expires_at"] <= int(time.time()) + 36 * 60
    assert session["created"] >= before


def test_a_longer_offer_ends_when_it_says(stripe_payer: StripePayer) -> None:
    ends_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)

    _order(stripe_payer, expires_at=ends_at)

    assert _session(stripe_payer)["expires_at"] == int(ends_at.timestamp())


def test_a_receipt_is_one_session_even_if_it_is_asked_for_otherwise(stripe_payer: StripePayer) -> None:
    _order(stripe_payer, receipt="r1", success_url="http://127.0.0.1/one")

    with pytest.raises(ProviderError) as error:
        _order(stripe_payer, receipt="r1", success_url="http://127.0.0.1/two")

    assert error.value.permanent is False
    assert len(stripe_payer.books()) == 1


def test_a_request_that_is_repeated_minutes_later_is_the_same_request(stripe_payer: StripePayer) -> None:
    asked_at = timezone.now() - timedelta(minutes=4)
    ours = {"asked_at": asked_at, "expires_at": asked_at + timedelta(minutes=15), "receipt": "r1"}

    first = _order(stripe_payer, **ours)

    assert _order(stripe_payer, **ours) == first
    assert _session(stripe_payer)["expires_at"] == int((asked_at + timedelta(minutes=35)).timestamp())


def test_a_declined_card_is_no_charge_while_the_session_is_open(stripe_payer: StripePayer) -> None:
    session_id = _order(stripe_payer)
    stripe_payer.sandbox.pay_stripe(session_id, "declined")

    assert stripe_payer.gateway().collect(session_id, PRICE) == []


def test_a_session_that_ends_after_a_declined_card_has_failed(stripe_payer: StripePayer) -> None:
    session_id = _order(stripe_payer)
    stripe_payer.sandbox.pay_stripe(session_id, "declined")
    stripe_payer.sandbox.advance(3 * 3600)
    _await_expiry(stripe_payer)

    (charge,) = stripe_payer.gateway().collect(session_id, PRICE)

    assert charge.state == PaymentState.FAILED


def test_a_session_that_ends_untouched_has_no_charge(stripe_payer: StripePayer) -> None:
    session_id = _order(stripe_payer)
    stripe_payer.sandbox.advance(3 * 3600)
    _await_expiry(stripe_payer)

    assert stripe_payer.gateway().collect(session_id, PRICE) == []


def _await_expiry(payer: StripePayer) -> None:
    """Wait for the sandbox's timer."""
    end = time.monotonic() + 10
    while _session(payer)["status"] == "open" and time.monotonic() < end:
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("session", "state"),
    [
        ({}, PaymentState.CAPTURED),
        ({"payment_status": "no_payment_required"}, PaymentState.CAPTURED),
        ({"payment_status": "unpaid", "payment_intent": _intent("processing")}, PaymentState.PENDING),
        ({"payment_status": "unpaid", "payment_intent": _intent("requires_action")}, PaymentState.PENDING),
        ({"payment_status": "unpaid", "payment_intent": _intent("requires_payment_method")}, PaymentState.FAILED),
        ({"payment_status": "unpaid", "payment_intent": _intent("canceled")}, PaymentState.FAILED),
        ({"payment_status": "unpaid", "payment_intent": "pi_1"}, PaymentState.PENDING),
        ({"status": "expired", "payment_status": "unpaid", "payment_intent": "pi_1"}, PaymentState.FAILED),
        ({"payment_intent": "pi_1"}, PaymentState.CAPTURED),
    ],
)
def test_complete_is_not_paid(session: dict[str, Any], state: PaymentState) -> None:
    assert told(_collect(**session)) == [("pi_1", state, PRICE)]


@pytest.mark.parametrize("session", [{"status": "open"}, {"payment_intent": None}])
def test_a_session_that_nobody_has_paid_has_no_charge(session: dict[str, Any]) -> None:
    assert _collect(**session) == []


def test_a_sum_that_is_missing_is_not_ours() -> None:
    assert told(_collect(amount_total=None, currency=None)) == [("pi_1", PaymentState.CAPTURED, Money(0, ""))]


def test_find_order_understands_that_stripe_may_refuse_an_unknown_intent() -> None:
    refusal = {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No such intent"}}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/checkout/sessions", status=404, json=refusal)

        assert _gateway().find_order("pi_1") is None


def test_find_order_takes_no_other_refusal_for_an_answer() -> None:
    refusal = {"error": {"type": "invalid_request_error", "code": "parameter_unknown", "message": "What?"}}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/checkout/sessions", status=400, json=refusal)

        with pytest.raises(ProviderError) as error:
            _gateway().find_order("pi_1")

    assert (str(error.value), error.value.permanent) == (
        "stripe refused to find a checkout session: parameter_unknown",
        True,
    )


def test_one_id_may_name_an_order_and_a_refund(stripe_payer: StripePayer) -> None:
    gateway, one_id = stripe_payer.gateway(), "5e0f6a54-0000-4000-8000-000000000001"
    session_id = gateway.create_order(make_request(PRICE, receipt=one_id)).provider_order_id
    intent = stripe_payer.pay(session_id)

    made = gateway.refund(RefundRequest(key=one_id, provider_payment_id=intent, amount=PRICE))

    assert (made.key, made.amount) == (one_id, PRICE)


@pytest.mark.parametrize("code", ["idempotency_key_in_use", "lock_timeout"])
def test_a_key_in_use_is_asked_again_later(code: str) -> None:
    conflict = {"error": {"type": "idempotency_error", "code": code, "message": "Another request is under way"}}
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/v1/refunds", status=409, json=conflict)

        with pytest.raises(ProviderError) as error:
            _gateway().refund(RefundRequest(key="one", provider_payment_id="pi_1", amount=PRICE))

    assert error.value.permanent is False


def test_a_question_is_tried_twice_and_no_more(stripe_payer: StripePayer) -> None:
    session_id = _order(stripe_payer)
    stripe_payer.sandbox.fault("stripe", "html_502", "sessions.retrieve", times=None)

    with pytest.raises(ProviderError):
        stripe_payer.gateway().collect(session_id, PRICE)

    assert stripe_payer.sandbox.calls("stripe.sessions.retrieve") == 2


@pytest.mark.parametrize(("age", "is_taken"), [(0, True), (280, True), (320, False), (86400, False), (-60, True)])
def test_an_old_signature_is_refused(stripe_payer: StripePayer, age: int, is_taken: bool) -> None:
    body = stripe_payer.body_about("cs_1")
    headers = stripe_payer.sign_at(int(time.time()) - age, body)

    if is_taken:
        assert stripe_payer.gateway().read_webhook(body, headers).event_id == "evt_1"
    else:
        with pytest.raises(InvalidWebhook):
            stripe_payer.gateway().read_webhook(body, headers)


def test_one_right_signature_among_several_is_enough(stripe_payer: StripePayer) -> None:
    body = stripe_payer.body_about("cs_1")
    signature = stripe_payer.sign(body)["Stripe-Signature"].replace(",v1=", f",v1={'0' * 64},v1=")

    assert stripe_payer.gateway().read_webhook(body, {"Stripe-Signature": signature}).event_id == "evt_1"


@pytest.mark.parametrize(
    "body", [b'{"type": "x"}', b'{"id": "evt_1"}', b'{"id": 5, "type": "x"}', b'{"id": "e", "type": []}']
)
def test_a_signed_body_that_is_no_event_is_refused(stripe_payer: StripePayer, body: bytes) -> None:
    with pytest.raises(InvalidWebhook):
        stripe_payer.gateway().read_webhook(body, stripe_payer.sign(body))
