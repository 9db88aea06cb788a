"""What is Razorpay's own."""

from __future__ import annotations

import hashlib
import inspect
import json
import subprocess
import sys
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import certifi
import pytest
import responses
from django.utils import timezone
from razorpay.resources.payment import Payment as SdkPayments

from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.webhooks.services import InvalidWebhook
from payments.gateways.base import Order, RefundRequest
from payments.gateways.razorpay import RazorpayGateway
from payments.money import Money
from payments.states import PaymentState
from payments.tests.builders import make_request
from payments.tests.payers import told

if TYPE_CHECKING:
    from payments.gateways.base import Charge
    from payments.tests.payers import RazorpayPayer

URL = "https://razorpay.test"
PRICE = Money(129900, "INR")


def _gateway() -> RazorpayGateway:
    """A gateway whose answers a test makes up."""
    return RazorpayGateway(key_id="rzp_test_1", key_secret="secret", webhook_secrets=["w"], base_url=URL)


def _attempt(payment_id: str, status: str, **more: Any) -> dict[str, Any]:
    captured = status in {"captured", "refunded"}
    return {"id": payment_id, "status": status, "amount": 129900, "currency": "INR", "captured": captured} | more


def _collect(*attempts: dict[str, Any]) -> list[Charge]:
    """Collect an order that has these attempts; any call but the question fails."""
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/orders/order_1/payments", json={"items": list(attempts)})
        return _gateway().collect("order_1", PRICE)


def _calls(payer: RazorpayPayer) -> dict[str, int]:
    return {
        name: payer.sandbox.calls(f"razorpay.{name}") for name in ("orders.create", "orders.list", "payments.capture")
    }


def test_an_order_asks_for_automatic_capture(razorpay_payer: RazorpayPayer) -> None:
    razorpay_payer.gateway().create_order(make_request(PRICE, receipt="r1"))

    (call,) = razorpay_payer.sandbox.call_log("razorpay.orders.create")
    assert call["body"] == {
        "amount": 129900,
        "currency": "INR",
        "receipt": "r1",
        "notes": {"payment": "r1"},
        "payment": {
            "capture": "automatic",
            "capture_options": {
                "automatic_expiry_period": 120,
                "manual_expiry_period": 120,
                "refund_speed": "normal",
            },
        },
    }


@pytest.mark.parametrize(("minutes", "period"), [(-5, 12), (5, 12), (14, 14), (60 * 24 * 30, 7200)])
def test_an_order_captures_within_the_hold_as_far_as_razorpay_lets_it(
    razorpay_payer: RazorpayPayer, minutes: int, period: int
) -> None:
    ends_at = timezone.now() + timedelta(minutes=minutes)

    razorpay_payer.gateway().create_order(make_request(PRICE, expires_at=ends_at))

    (call,) = razorpay_payer.sandbox.call_log("razorpay.orders.create")
    options = call["body"]["payment"]["capture_options"]
    assert (options["automatic_expiry_period"], options["manual_expiry_period"]) == (period, period)


def test_an_order_whose_answer_is_lost_is_found_by_its_receipt_and_not_made_again(
    razorpay_payer: RazorpayPayer,
) -> None:
    razorpay_payer.gateway().create_order(make_request(PRICE, receipt="another"))
    razorpay_payer.sandbox.fault("razorpay", "drop", "orders.create")

    order = razorpay_payer.gateway().create_order(make_request(PRICE, receipt="r1"))

    assert [(each[0], each[3]) for each in razorpay_payer.books()][1:] == [(order.provider_order_id, "r1")]
    assert _calls(razorpay_payer) == {"orders.create": 2, "orders.list": 1, "payments.capture": 0}


def test_somebody_elses_order_is_not_taken_for_ours() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/v1/orders", status=500, json={"error": {"code": "SERVER_ERROR", "description": "trouble"}})
        mock.get(f"{URL}/v1/orders", json={"items": [{"id": "order_of_another", "receipt": "r2"}]})

        with pytest.raises(ProviderError) as error:
            _gateway().create_order(make_request(PRICE, receipt="r1"))

    assert (str(error.value), error.value.permanent) == ("razorpay failed to create an order: ServerError", False)


def test_an_account_with_repeated_receipts_still_gets_one_of_them() -> None:
    found = [{"id": "order_2", "receipt": "r1"}, {"id": "order_1", "receipt": "r1"}]
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/v1/orders", body=b"<html>", status=502)
        mock.get(f"{URL}/v1/orders", json={"items": found})

        assert _gateway().create_order(make_request(PRICE, receipt="r1")) == Order("order_2")


@pytest.mark.parametrize(
    ("notes", "receipt"),
    [({"payment": "r1"}, "r1"), ({"payment": "r2", "more": "x"}, "r2"), ({"more": "x"}, ""), ([], ""), (None, "")],
)
def test_a_charge_says_under_which_receipt_it_was_made_where_its_notes_do(notes: object, receipt: str) -> None:
    shown = {"id": "pay_1", "status": "captured", "amount": 129900, "currency": "INR", "order_id": "order_1"}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/orders/order_1/payments", json={"items": [shown | {"notes": notes}]})

        (charge,) = _gateway().collect("order_1", PRICE)

    assert (charge.receipt, charge.provider_order_id) == (receipt, "order_1")


def test_an_authorized_payment_is_captured_on_the_way(razorpay_payer: RazorpayPayer) -> None:
    order_id = razorpay_payer.gateway().create_order(make_request(PRICE)).provider_order_id
    payment_id = razorpay_payer.pay(order_id, "authorized")

    assert told(razorpay_payer.gateway().collect(order_id, PRICE)) == [(payment_id, PaymentState.CAPTURED, PRICE)]
    assert _calls(razorpay_payer)["payments.capture"] == 1


@pytest.mark.parametrize("price", [Money(129800, "INR"), Money(130000, "INR"), Money(129900, "USD")])
def test_an_authorization_of_other_figures_is_left_to_run_out(razorpay_payer: RazorpayPayer, price: Money) -> None:
    order_id = razorpay_payer.gateway().create_order(make_request(PRICE)).provider_order_id
    payment_id = razorpay_payer.pay(order_id, "authorized")

    assert told(razorpay_payer.gateway().collect(order_id, price)) == [(payment_id, PaymentState.PENDING, PRICE)]
    assert _calls(razorpay_payer)["payments.capture"] == 0


def test_a_capture_refused_because_it_is_captured_already_is_a_success() -> None:
    refusal = {"error": {"code": "BAD_REQUEST_ERROR", "description": "This payment has already been captured"}}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/orders/order_1/payments", json={"items": [_attempt("pay_1", "authorized")]})
        mock.post(f"{URL}/v1/payments/pay_1/capture", status=400, json=refusal)
        mock.get(f"{URL}/v1/orders/order_1/payments", json={"items": [_attempt("pay_1", "captured")]})

        assert told(_gateway().collect("order_1", PRICE)) == [("pay_1", PaymentState.CAPTURED, PRICE)]


@pytest.mark.parametrize("kind", ["refuse", "drop", "html_502", "rate_limited"])
def test_a_capture_in_trouble_is_what_the_second_look_says(razorpay_payer: RazorpayPayer, kind: str) -> None:
    order_id = razorpay_payer.gateway().create_order(make_request(PRICE)).provider_order_id
    payment_id = razorpay_payer.pay(order_id, "authorized")
    razorpay_payer.sandbox.fault("razorpay", kind, "payments.capture")

    state = PaymentState.CAPTURED if kind == "drop" else PaymentState.PENDING
    assert told(razorpay_payer.gateway().collect(order_id, PRICE)) == [(payment_id, state, PRICE)]
    assert _calls(razorpay_payer)["payments.capture"] == 1


def test_a_second_authorization_is_not_captured_once_the_order_is_paid() -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        attempts = [_attempt("pay_2", "authorized"), _attempt("pay_1", "captured")]
        mock.get(f"{URL}/v1/orders/order_1/payments", json={"items": attempts})
        capture = mock.post(f"{URL}/v1/payments/pay_2/capture", json=_attempt("pay_2", "captured"))

        charges = _gateway().collect("order_1", PRICE)

    assert [(charge.provider_payment_id, charge.state) for charge in charges] == [
        ("pay_2", PaymentState.PENDING),
        ("pay_1", PaymentState.CAPTURED),
    ]
    assert capture.call_count == 0


def test_of_two_authorizations_one_is_captured() -> None:
    both = [_attempt("pay_2", "authorized"), _attempt("pay_1", "authorized")]
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/orders/order_1/payments", json={"items": both})
        capture = mock.post(f"{URL}/v1/payments/pay_2/capture", json=_attempt("pay_2", "captured"))
        mock.get(f"{URL}/v1/orders/order_1/payments", json={"items": [_attempt("pay_2", "captured"), both[1]]})

        charges = _gateway().collect("order_1", PRICE)

    assert [charge.state for charge in charges] == [PaymentState.CAPTURED, PaymentState.PENDING]
    assert json.loads(capture.calls[0].request.body) == {"amount": 129900, "currency": "INR"}


@pytest.mark.parametrize(
    ("attempt", "state"),
    [
        (_attempt("pay_1", "created"), PaymentState.PENDING),
        (_attempt("pay_1", "failed"), PaymentState.FAILED),
        (_attempt("pay_1", "refunded"), PaymentState.CAPTURED),
        # Razorpay gives back by itself what nobody captures: no money of ours ever moved.
        (_attempt("pay_1", "refunded", captured=False), PaymentState.FAILED),
        (_attempt("pay_1", "captured", refund_status="partial", amount_refunded=100), PaymentState.CAPTURED),
        (_attempt("pay_1", "something_new"), PaymentState.PENDING),
    ],
)
def test_every_status_has_its_state(attempt: dict[str, Any], state: PaymentState) -> None:
    assert told(_collect(attempt)) == [("pay_1", state, PRICE)]


def test_late_money_that_razorpay_gave_back_by_itself_is_not_a_second_capture(razorpay_payer: RazorpayPayer) -> None:
    order_id = razorpay_payer.gateway().create_order(make_request(PRICE)).provider_order_id
    late_id, paid_id = razorpay_payer.pay(order_id, "failed"), razorpay_payer.pay(order_id)
    razorpay_payer.sandbox.settle("razorpay/payments", late_id, "captured")

    charges = {charge.provider_payment_id: charge.state for charge in razorpay_payer.gateway().collect(order_id, PRICE)}

    assert charges == {paid_id: PaymentState.CAPTURED, late_id: PaymentState.FAILED}


@pytest.mark.parametrize("sentence", ["The id provided does not exist", "pay_x is not a valid id"])
def test_find_order_understands_both_ways_to_say_unknown(sentence: str) -> None:
    with responses.RequestsMock() as mock:
        refusal = {"error": {"code": "BAD_REQUEST_ERROR", "description": sentence}}
        mock.get(f"{URL}/v1/payments/pay_x", status=400, json=refusal)

        assert _gateway().find_order("pay_x") is None


@pytest.mark.parametrize("status", [409, 429])
def test_a_refusal_that_passes_is_not_taken_for_one_that_stays(status: int) -> None:
    """Both come with the code of a bad request: a refund given up for it would be paid a second time."""
    refusal = {"error": {"code": "BAD_REQUEST_ERROR", "description": "Request in progress"}}
    request = RefundRequest("5e0f6a54-0000-4000-8000-000000000001", "pay_1", PRICE)
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/v1/payments/pay_1/refund", status=status, json=refusal)

        with pytest.raises(ProviderError) as error:
            _gateway().refund(request)

    assert (str(error.value), error.value.permanent) == (f"razorpay wants to be asked later ({status})", False)


def test_a_refund_goes_at_the_speed_that_costs_nothing_under_a_receipt_of_its_own() -> None:
    answer = {"id": "rfnd_1", "status": "pending", "amount": 129900, "currency": "INR", "notes": []}
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/v1/payments/pay_1/refund", json=answer)
        _gateway().refund(RefundRequest("key-of-the-row", "pay_1", PRICE))
        asked = json.loads(mock.calls[0].request.body or "")

    assert asked == {
        "amount": 129900,
        "speed": "normal",
        "receipt": "key-of-the-row",
        "notes": {"refund": "key-of-the-row"},
    }


def test_find_order_of_a_payment_without_an_order_is_none() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v1/payments/pay_x", json=_attempt("pay_x", "captured", order_id=None))

        assert _gateway().find_order("pay_x") is None


def test_the_sdks_shared_default_is_not_written_into(razorpay_payer: RazorpayPayer) -> None:
    """`payment.capture` of the SDK writes the amount into its default argument, for the whole process."""
    order_id = razorpay_payer.gateway().create_order(make_request(PRICE)).provider_order_id
    razorpay_payer.pay(order_id, "authorized")

    razorpay_payer.gateway().collect(order_id, PRICE)

    assert _calls(razorpay_payer)["payments.capture"] == 1
    assert inspect.signature(SdkPayments.capture).parameters["data"].default == {}


def test_certificates_are_certifis_and_not_the_sdks_of_2015() -> None:
    with responses.RequestsMock() as mock:
        answer = mock.get(f"{URL}/v1/payments/pay_x", json={"order_id": "order_1"})
        _gateway().find_order("pay_x")

    assert answer.calls[0].request.req_kwargs["verify"] == certifi.where()


def test_the_sdk_does_without_pkg_resources() -> None:
    """Python and setuptools have dropped it; the SDK asks for its own version on every request."""
    program = (
        "import sys, razorpay; print(razorpay.Client(auth=('a', 'b'))._get_version(), 'pkg_resources' in sys.modules)"
    )

    asked = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert asked.stdout.split() == [version("razorpay"), "False"]


def test_a_genuine_return_is_recognized(razorpay_payer: RazorpayPayer) -> None:
    order_id = razorpay_payer.gateway().create_order(make_request(PRICE)).provider_order_id
    triple = razorpay_payer.sandbox.pay_razorpay(order_id)

    assert _is_genuine(order_id, triple["razorpay_payment_id"], triple["razorpay_signature"]) is True


def test_a_return_is_forged_with_another_orders_triple(razorpay_payer: RazorpayPayer) -> None:
    cheap, dear = (
        razorpay_payer.gateway().create_order(make_request(PRICE, receipt=receipt)).provider_order_id
        for receipt in ("cheap", "dear")
    )
    triple = razorpay_payer.sandbox.pay_razorpay(cheap)

    assert _is_genuine(dear, triple["razorpay_payment_id"], triple["razorpay_signature"]) is False


@pytest.mark.parametrize("signature", ["", "0" * 64, "\u00e9" * 64, "\ud800", "0" * 100_000])
def test_a_return_with_a_signature_that_is_none_is_forged(sandbox: object, signature: str) -> None:
    assert _is_genuine("order_1", "pay_1", signature) is False


def _is_genuine(order_id: str, payment_id: str, signature: str) -> bool:
    return RazorpayGateway.from_settings().is_genuine_return(
        provider_order_id=order_id, provider_payment_id=payment_id, signature=signature
    )


def test_a_delivery_without_an_event_id_is_known_by_its_body(razorpay_payer: RazorpayPayer) -> None:
    body = razorpay_payer.body_about("order_1")

    for event_id in ("", "x" * 201):
        event = razorpay_payer.gateway().read_webhook(body, razorpay_payer.sign(body, event_id=event_id))
        assert event.event_id == hashlib.sha256(body).hexdigest()


def test_an_event_id_beyond_any_measure_is_refused(razorpay_payer: RazorpayPayer) -> None:
    body = razorpay_payer.body_about("order_1")

    with pytest.raises(InvalidWebhook):
        razorpay_payer.gateway().read_webhook(body, razorpay_payer.sign(body, event_id="x" * 2049))


@pytest.mark.parametrize("kind", [None, 5, ["payment.captured"], {}])
def test_a_signed_delivery_without_a_readable_kind_is_kept_as_unknown(razorpay_payer: RazorpayPayer, kind: Any) -> None:
    body = json.dumps({"event": kind, "payload": {}}).encode()

    assert razorpay_payer.gateway().read_webhook(body, razorpay_payer.sign(body)).event_type == "unknown"


def test_order_paid_names_its_order_by_its_own_id() -> None:
    body = {"event": "order.paid", "payload": {"order": {"entity": {"id": "order_1"}}}}

    assert _gateway().order_of_webhook(json.dumps(body)) == "order_1"
