"""Razorpay, driven with its own SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from razorpay.errors import BadRequestError

from mindfulqalb.sandbox.tests.clients import TIMEOUT, make_order, razorpay_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

TRIPLE = ("razorpay_order_id", "razorpay_payment_id", "razorpay_signature")


@pytest.fixture
def client(sandbox: SandboxProcess) -> Iterator[Any]:
    """Razorpay's client."""
    made = razorpay_client(sandbox)
    with made.session:
        yield made


def paid(sandbox: SandboxProcess, **order: Any) -> str:
    """Make an order, pay it, and return the payment's id."""
    return str(sandbox.pay_razorpay(make_order(sandbox, **order)["id"])["razorpay_payment_id"])


def raw(sandbox: SandboxProcess, method: str, path: str, *, secret: str = "rzp_sandbox_secret", **more: Any) -> Any:
    auth = ("rzp_test_sandbox", secret)
    return requests.request(method, f"{sandbox.url}/razorpay/v1/{path}", auth=auth, timeout=TIMEOUT, **more)


def test_order_answers_its_entity(sandbox: SandboxProcess) -> None:
    order = make_order(sandbox, receipt="bk_1", notes={"booking": "17"})

    created_at, order_id = order.pop("created_at"), order.pop("id")
    assert isinstance(created_at, int)
    assert (order_id[:6], len(order_id)) == ("order_", 20)
    assert order == {
        "entity": "order",
        "amount": 129900,
        "amount_paid": 0,
        "amount_due": 129900,
        "currency": "INR",
        "receipt": "bk_1",
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": {"booking": "17"},
    }


def test_order_without_notes_shows_an_empty_list(sandbox: SandboxProcess) -> None:
    assert make_order(sandbox, notes={})["notes"] == []


@pytest.mark.parametrize(
    ("overrides", "description"),
    [
        ({"amount": 99}, "The amount must be atleast INR 1.00"),
        ({"amount": 100.5}, "The amount must be an integer."),
        ({"amount": None}, "The amount field is required."),
        ({"currency": "rupees"}, "Currency is not supported"),
        ({"receipt": "r" * 41}, "The receipt may not be greater than 40 characters."),
        ({"expire_by": 1}, "expire_by is/are not required and should not be sent"),
        ({"notes": {str(n): "x" for n in range(16)}}, "Number of fields in notes should be less than or equal to 15"),
        ({"payment": {"capture": "maybe"}}, "The selected payment.capture is invalid."),
    ],
)
def test_order_refuses(sandbox: SandboxProcess, overrides: dict[str, Any], description: str) -> None:
    with pytest.raises(BadRequestError) as refusal:
        make_order(sandbox, **overrides)

    assert str(refusal.value) == description


def test_order_receipt_is_unique(sandbox: SandboxProcess) -> None:
    first = make_order(sandbox, receipt="bk_1")

    with pytest.raises(BadRequestError, match=r"Order receipt should be unique\."):
        make_order(sandbox, receipt="bk_1")

    assert make_order(sandbox, receipt="bk_1", unique_receipt=True)["id"] == first["id"]


def test_order_receipt_may_repeat_where_the_account_allows_it(sandbox: SandboxProcess) -> None:
    sandbox.turn(razorpayUniqueReceipts=False)

    orders = {make_order(sandbox, receipt="bk_1")["id"] for _ in range(2)}

    assert len(orders) == 2


def test_order_is_found_by_its_receipt(sandbox: SandboxProcess, client: Any) -> None:
    make_order(sandbox, receipt="bk_1")
    wanted = make_order(sandbox, receipt="bk_2")

    found = client.order.all({"receipt": "bk_2"})

    assert found == {"entity": "collection", "count": 1, "items": [wanted]}


def test_bad_credentials_are_401_in_razorpays_shape(sandbox: SandboxProcess) -> None:
    response = raw(sandbox, "GET", "orders", secret="wrong")

    error = response.json()["error"]
    assert (response.status_code, error["code"], error["description"]) == (
        401,
        "BAD_REQUEST_ERROR",
        "Authentication failed",
    )


def test_unknown_ids_are_400(client: Any) -> None:
    for fetch in (client.order.fetch, client.payment.fetch, client.refund.fetch):
        with pytest.raises(BadRequestError, match="The id provided does not exist"):
            fetch("unknown")


def test_pay_gives_a_triple_that_the_sdk_verifies(sandbox: SandboxProcess, client: Any) -> None:
    order = make_order(sandbox)

    told = sandbox.pay_razorpay(order["id"], email="asha@example.com", contact="+919876543210")

    assert client.utility.verify_payment_signature({name: told[name] for name in TRIPLE})
    payment = client.payment.fetch(told["razorpay_payment_id"])
    expected = {
        "status": "captured",
        "captured": True,
        "amount": 129900,
        "currency": "INR",
        "order_id": order["id"],
        "email": "asha@example.com",
        "contact": "+919876543210",
        "amount_refunded": 0,
        "refund_status": None,
        "fee": 2598,
        "error_code": None,
    }
    assert {name: payment[name] for name in expected} == expected
    paid_order = client.order.fetch(order["id"])
    assert [paid_order[name] for name in ("status", "amount_paid", "amount_due", "attempts")] == ["paid", 129900, 0, 1]


def test_pay_can_fail_and_be_tried_again(sandbox: SandboxProcess, client: Any) -> None:
    order_id = make_order(sandbox)["id"]

    failed = sandbox.pay_razorpay(order_id, "failed")
    after_failure = client.order.fetch(order_id)["status"]
    sandbox.pay_razorpay(order_id)

    assert (failed["razorpay_signature"], failed["error"]["reason"]) == (None, "payment_failed")
    assert failed["error"]["metadata"] == {"payment_id": failed["razorpay_payment_id"], "order_id": order_id}
    assert after_failure == "attempted"
    payments = client.order.payments(order_id)
    assert [payments["count"], *(item["status"] for item in payments["items"])] == [2, "captured", "failed"]


def test_pay_a_paid_order_is_refused(sandbox: SandboxProcess) -> None:
    order_id = make_order(sandbox)["id"]
    sandbox.pay_razorpay(order_id)

    with pytest.raises(requests.HTTPError, match="Payment already done for this order"):
        sandbox.pay_razorpay(order_id)


def test_manual_capture_waits_for_the_merchant(sandbox: SandboxProcess, client: Any) -> None:
    order = make_order(sandbox, payment={"capture": "manual"})
    told = sandbox.pay_razorpay(order["id"])
    payment_id = told["razorpay_payment_id"]

    assert client.payment.fetch(payment_id)["status"] == "authorized"
    with pytest.raises(BadRequestError, match="Capture amount must be equal"):
        client.payment.capture(payment_id, 100, {"currency": "INR"})
    assert client.payment.capture(payment_id, 129900, {"currency": "INR"})["status"] == "captured"
    with pytest.raises(BadRequestError, match="This payment has already been captured"):
        client.payment.capture(payment_id, 129900, {"currency": "INR"})
    assert client.order.fetch(order["id"])["status"] == "paid"


def test_authorized_payment_blocks_another_on_the_order(sandbox: SandboxProcess) -> None:
    order_id = make_order(sandbox)["id"]
    sandbox.pay_razorpay(order_id, "authorized")

    with pytest.raises(requests.HTTPError, match="waits for its capture"):
        sandbox.pay_razorpay(order_id)


def test_late_bank_answers_after_a_while(sandbox: SandboxProcess, client: Any) -> None:
    told = sandbox.pay_razorpay(make_order(sandbox)["id"], "late", seconds=60)
    before = client.payment.fetch(told["razorpay_payment_id"])["status"]

    sandbox.advance(61)

    assert (told["razorpay_signature"], told["error"], before) == (None, None, "created")
    assert client.payment.fetch(told["razorpay_payment_id"])["status"] == "captured"


def test_second_payment_of_a_paid_order_is_captured_where_a_bank_let_both_through(
    sandbox: SandboxProcess, client: Any
) -> None:
    order = make_order(sandbox)
    sandbox.pay_razorpay(order["id"])

    told = sandbox.pay_razorpay(order["id"], "second")

    assert client.utility.verify_payment_signature({name: told[name] for name in TRIPLE})
    assert [payment["status"] for payment in client.order.payments(order["id"])["items"]] == ["captured", "captured"]


def test_late_authorization_turns_a_failure_into_a_payment(sandbox: SandboxProcess, client: Any) -> None:
    told = sandbox.pay_razorpay(make_order(sandbox)["id"], "late_authorization", seconds=60)
    before = client.payment.fetch(told["razorpay_payment_id"])["status"]

    sandbox.advance(61)

    assert before == "failed"
    assert client.payment.fetch(told["razorpay_payment_id"])["status"] == "captured"


def test_late_payment_of_an_order_paid_meanwhile_is_refunded(sandbox: SandboxProcess, client: Any) -> None:
    order_id = make_order(sandbox)["id"]
    late = sandbox.pay_razorpay(order_id, "failed")["razorpay_payment_id"]
    sandbox.pay_razorpay(order_id)

    sandbox.settle("razorpay/payments", late, "captured")

    payment = client.payment.fetch(late)
    assert [payment[name] for name in ("status", "captured", "refund_status")] == ["refunded", False, "full"]


def test_refund_in_parts(sandbox: SandboxProcess, client: Any) -> None:
    payment_id = paid(sandbox)

    first = client.payment.refund(payment_id, {"amount": 50000, "notes": {"refund": "42"}, "receipt": "rf_42"})
    partly = client.payment.fetch(payment_id)
    client.payment.refund(payment_id, {})
    wholly = client.payment.fetch(payment_id)

    expected = {
        "entity": "refund",
        "amount": 50000,
        "status": "processed",
        "payment_id": payment_id,
        "receipt": "rf_42",
    }
    assert {name: first[name] for name in expected} == expected
    state = ("status", "refund_status", "amount_refunded")
    assert [partly[name] for name in state] == ["captured", "partial", 50000]
    assert [wholly[name] for name in state] == ["refunded", "full", 129900]
    assert client.payment.fetch_multiple_refund(payment_id)["count"] == 2
    assert client.payment.fetch_refund_id(payment_id, first["id"]) == client.refund.fetch(first["id"]) == first


@pytest.mark.parametrize(
    ("body", "description"),
    [
        ({"amount": 129901}, "The refund amount provided is greater than amount captured"),
        ({"amount": 50}, "The amount must be atleast INR 1.00"),
        ({"speed": "warp"}, "The selected speed is invalid."),
        ({"reason": "x"}, "reason is/are not required and should not be sent"),
    ],
)
def test_refund_refuses(sandbox: SandboxProcess, client: Any, body: dict[str, Any], description: str) -> None:
    with pytest.raises(BadRequestError) as refusal:
        client.payment.refund(paid(sandbox), body)

    assert str(refusal.value) == description


def test_refund_of_what_is_refunded_or_not_captured_is_refused(sandbox: SandboxProcess, client: Any) -> None:
    payment_id = paid(sandbox)
    client.payment.refund(payment_id, {})
    failed = sandbox.pay_razorpay(make_order(sandbox)["id"], "failed")["razorpay_payment_id"]

    with pytest.raises(BadRequestError, match="The payment has been fully refunded already"):
        client.payment.refund(payment_id, {})
    with pytest.raises(BadRequestError, match="The payment status should be captured"):
        client.payment.refund(failed, {})


def test_refund_key_answers_the_same_refund(sandbox: SandboxProcess, client: Any) -> None:
    payment_id, headers = paid(sandbox), {"X-Refund-Idempotency": "refund-0001"}

    first = client.payment.refund(payment_id, {"amount": 50000}, headers=dict(headers))
    second = client.payment.refund(payment_id, {"amount": 50000}, headers=dict(headers))

    assert second == first
    assert client.payment.fetch(payment_id)["amount_refunded"] == 50000
    with pytest.raises(BadRequestError, match="Different request with the same idempotency key"):
        client.payment.refund(payment_id, {"amount": 60000}, headers=dict(headers))


@pytest.mark.parametrize("key", ["short", "with space in it", ""])
def test_refund_key_must_be_well_formed(sandbox: SandboxProcess, key: str) -> None:
    path = f"payments/{paid(sandbox)}/refund"

    response = raw(sandbox, "POST", path, json={}, headers={"X-Refund-Idempotency": key})

    assert (response.status_code, response.json()["error"]["field"]) == (400, "X-Refund-Idempotency")


def test_pending_refund_that_fails_gives_the_amount_back(sandbox: SandboxProcess, client: Any) -> None:
    payment_id = paid(sandbox)
    sandbox.fault("razorpay", "refund_pending", "refunds.create", then=None)

    refund = client.payment.refund(payment_id, {})
    pending = client.payment.fetch(payment_id)
    sandbox.settle("razorpay/refunds", refund["id"], "failed")

    failed = client.payment.fetch(payment_id)
    assert (refund["status"], pending["status"]) == ("pending", "refunded")
    assert client.refund.fetch(refund["id"])["status"] == "failed"
    assert [failed[name] for name in ("status", "refund_status", "amount_refunded")] == ["captured", None, 0]


def test_lists_are_newest_first_and_paged(sandbox: SandboxProcess, client: Any) -> None:
    orders = [make_order(sandbox)["id"] for _ in range(3)]

    found = client.order.all({"count": 2, "skip": 1})

    assert [item["id"] for item in found["items"]] == [orders[1], orders[0]]


def test_unknown_path_is_refused_in_razorpays_shape(sandbox: SandboxProcess) -> None:
    response = raw(sandbox, "POST", "invoices")

    assert (response.status_code, response.json()["error"]["code"]) == (400, "BAD_REQUEST_ERROR")


def checkout(sandbox: SandboxProcess, **options: Any) -> str:
    query = {"key": "rzp_test_sandbox", "origin": "https://site.example", **options}
    response = requests.get(f"{sandbox.url}/razorpay/checkout", params=query, timeout=TIMEOUT)
    assert response.headers["Content-Security-Policy"].endswith("frame-ancestors *")
    return response.text


def test_checkout_offers_to_pay_a_good_order(sandbox: SandboxProcess) -> None:
    page = checkout(sandbox, order_id=make_order(sandbox)["id"], amount=129900, name="MindfulQALB")

    assert 'data-outcome="captured"' in page
    assert "1,299.00" in page


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"key": "rzp_live_other"}, "The api key provided is invalid."),
        ({"order_id": "order_unknown"}, "The order id provided does not exist."),
        ({"amount": 100}, "Your payment amount is different from your order amount."),
    ],
)
def test_checkout_says_why_an_order_cannot_be_paid(
    sandbox: SandboxProcess, options: dict[str, Any], problem: str
) -> None:
    page = checkout(sandbox, **{"order_id": make_order(sandbox)["id"], **options})

    assert problem in page
    assert 'data-outcome="captured"' not in page


def test_checkout_buttons_pay(sandbox: SandboxProcess, client: Any) -> None:
    order_id = make_order(sandbox)["id"]
    body = {"order_id": order_id, "outcome": "captured", "email": "asha@example.com"}

    told = requests.post(f"{sandbox.url}/razorpay/checkout/pay", json=body, timeout=TIMEOUT).json()

    assert client.utility.verify_payment_signature({name: told[name] for name in TRIPLE})
    assert client.payment.fetch(told["razorpay_payment_id"])["email"] == "asha@example.com"


def test_checkout_script_needs_no_inline_code(sandbox: SandboxProcess) -> None:
    response = requests.get(f"{sandbox.url}/razorpay/checkout.js", timeout=TIMEOUT)

    assert response.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "window.Razorpay = Razorpay;" in response.text
    assert "innerHTML" not in response.text
