"""Each kind of trouble, as its vendor's client meets it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
import stripe
from razorpay.errors import BadRequestError, GatewayError, ServerError

from mindfulqalb.sandbox.faults import KINDS
from mindfulqalb.sandbox.tests.clients import (
    BOOKINGS,
    HOST,
    booking_body,
    calcom,
    local_moment,
    make_order,
    make_session,
    razorpay_client,
    session_params,
    stripe_client,
    under,
)

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


def book(sandbox: SandboxProcess, timeout: float = 10) -> requests.Response:
    url = f"{sandbox.url}/calcom/v2/bookings"
    body = booking_body(local_moment(3, 10))
    return requests.post(url, headers=BOOKINGS, json=body, timeout=timeout)


def bookings(sandbox: SandboxProcess) -> int:
    return len(sandbox.state()["calcom"]["bookings"])


def me(sandbox: SandboxProcess) -> requests.Response:
    return calcom(sandbox, "GET", "me", headers=HOST)


def test_delay_answers_late(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "delay", "bookings.create", seconds=0.4)
    began = time.monotonic()

    response = book(sandbox)

    assert (response.status_code, time.monotonic() - began >= 0.4) == (201, True)


@pytest.mark.parametrize(("done", "made"), [(True, 1), (False, 0)])
def test_hang_never_answers(sandbox: SandboxProcess, done: bool, made: int) -> None:
    sandbox.fault("calcom", "hang", "bookings.create", done=done)

    with pytest.raises(requests.ReadTimeout):
        book(sandbox, timeout=0.4)

    assert bookings(sandbox) == made


@pytest.mark.parametrize(("kind", "made"), [("drop", 1), ("refuse", 0)])
def test_closed_connection_has_done_it_or_not(sandbox: SandboxProcess, kind: str, made: int) -> None:
    sandbox.fault("calcom", kind, "bookings.create")

    with pytest.raises(requests.ConnectionError, match="Remote end closed connection without response"):
        book(sandbox)

    assert bookings(sandbox) == made


def test_dropped_order_is_found_by_its_receipt(sandbox: SandboxProcess) -> None:
    sandbox.fault("razorpay", "drop", "orders.create")

    with pytest.raises(requests.ConnectionError):
        make_order(sandbox, receipt="bk_1")

    assert [order["receipt"] for order in sandbox.state()["razorpay"]["orders"]] == ["bk_1"]


def test_dropped_session_is_replayed_under_the_same_key(sandbox: SandboxProcess) -> None:
    sandbox.fault("stripe", "drop", "sessions.create")
    create, options = stripe_client(sandbox).v1.checkout.sessions.create, under("cs:1")

    with pytest.raises(stripe.APIConnectionError):
        create(params=session_params(), options=options)

    made = sandbox.state()["stripe"]["sessions"]
    assert [create(params=session_params(), options=options).id] == [session["id"] for session in made]


def test_status_speaks_calcoms_language(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "status", "me.get", status=503, message="Down for maintenance")

    response = me(sandbox)

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "ServiceUnavailableException"
    assert response.json()["error"]["message"] == "Down for maintenance"


@pytest.mark.parametrize(("status", "error"), [(400, BadRequestError), (500, ServerError), (502, GatewayError)])
def test_status_speaks_razorpays_language(sandbox: SandboxProcess, status: int, error: type[Exception]) -> None:
    sandbox.fault("razorpay", "status", "orders.create", status=status)

    with pytest.raises(error):
        make_order(sandbox)

    assert sandbox.state()["razorpay"]["orders"] == []


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [(500, stripe.APIError, None), (409, stripe.APIError, "lock_timeout"), (402, stripe.CardError, None)],
)
def test_status_speaks_stripes_language(
    sandbox: SandboxProcess, status: int, error: type[stripe.StripeError], code: str | None
) -> None:
    sandbox.fault("stripe", "status", "sessions.create", status=status)

    with pytest.raises(error) as caught:
        make_session(sandbox)

    assert (caught.value.http_status, getattr(caught.value.error, "code", None)) == (status, code)


def test_html_502_is_no_json(sandbox: SandboxProcess) -> None:
    for vendor in ("calcom", "razorpay", "stripe"):
        sandbox.fault(vendor, "html_502")

    response = me(sandbox)

    assert (response.status_code, response.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    with pytest.raises(requests.exceptions.JSONDecodeError):
        make_order(sandbox)
    with pytest.raises(stripe.APIError):
        make_session(sandbox)


def test_rate_limited_is_429_in_each_form(sandbox: SandboxProcess) -> None:
    for vendor in ("calcom", "razorpay", "stripe"):
        sandbox.fault(vendor, "rate_limited")

    response = me(sandbox)

    assert (response.status_code, response.json()["error"]["code"]) == (429, "ThrottlerException")
    assert response.headers["X-RateLimit-Remaining-Default"] == "0"
    with pytest.raises(BadRequestError, match="too many requests"):
        make_order(sandbox)
    with pytest.raises(stripe.RateLimitError):
        make_session(sandbox)


def test_bare_500_has_no_envelope(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "bare_500")

    response = me(sandbox)

    assert (response.status_code, response.json()) == (500, {"statusCode": 500, "message": "Internal server error"})


def test_slot_taken_in_both_forms(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "slot_taken")
    sandbox.fault("calcom", "slot_taken", form="bare")
    me(sandbox)  # a call that cannot be refused so does not use the fault up

    text, bare, none = book(sandbox), book(sandbox), book(sandbox)

    assert text.status_code == 400
    assert text.json()["error"]["message"] == "User either already has booking at this time or is not available"
    assert (bare.status_code, bare.json()) == (409, {"statusCode": 409, "message": "booking_conflict_error"})
    assert none.status_code == 201


def test_amount_and_currency_altered_in_one_answer_only(sandbox: SandboxProcess) -> None:
    client = razorpay_client(sandbox)
    payment_id = sandbox.pay_razorpay(make_order(sandbox)["id"])["razorpay_payment_id"]
    sandbox.fault("razorpay", "amount_altered", "payments.fetch", amount=100)
    sandbox.fault("razorpay", "currency_altered", "payments.fetch", currency="EUR")

    with client.session:
        answers = [client.payment.fetch(payment_id) for _ in range(2)]

    assert [(answer["amount"], answer["currency"]) for answer in answers] == [(100, "EUR"), (129900, "INR")]


def test_amount_altered_when_paying_is_really_paid(sandbox: SandboxProcess) -> None:
    session = make_session(sandbox)
    sandbox.fault("razorpay", "amount_altered", "payments.pay", amount=500)
    sandbox.fault("stripe", "amount_altered", "sessions.pay", amount=500)

    sandbox.pay_razorpay(make_order(sandbox)["id"])
    sandbox.pay_stripe(session.id)

    state = sandbox.state()
    assert [payment["amount"] for payment in state["razorpay"]["payments"]] == [500]
    assert [charge["amount"] for charge in state["stripe"]["charges"]] == [500]
    assert stripe_client(sandbox).v1.checkout.sessions.retrieve(session.id).amount_total == 500


def test_late_authorization_strikes_the_customers_payment(sandbox: SandboxProcess) -> None:
    session = make_session(sandbox)
    sandbox.fault("razorpay", "late_authorization", seconds=60)
    sandbox.fault("stripe", "late_authorization", seconds=60)

    razorpay_status = sandbox.pay_razorpay(make_order(sandbox)["id"])["status"]
    stripe_status = sandbox.pay_stripe(session.id)["session"]["payment_status"]
    sandbox.advance(61)

    state = sandbox.state()
    assert (razorpay_status, stripe_status) == ("failed", "unpaid")
    assert state["razorpay"]["payments"][0]["status"] == "captured"
    assert state["stripe"]["sessions"][0]["payment_status"] == "paid"


@pytest.mark.parametrize(("then", "end"), [("processed", "processed"), ("failed", "failed")])
def test_refund_pending_comes_to_its_end(sandbox: SandboxProcess, then: str, end: str) -> None:
    client = razorpay_client(sandbox)
    payment_id = sandbox.pay_razorpay(make_order(sandbox)["id"])["razorpay_payment_id"]
    sandbox.fault("razorpay", "refund_pending", seconds=60, then=then)

    with client.session:
        refund = client.payment.refund(payment_id, {})
        sandbox.advance(61)
        after = client.refund.fetch(refund["id"])

    assert (refund["status"], after["status"]) == ("pending", end)


def test_fault_strikes_as_often_as_it_says(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "bare_500", times=2)

    assert [me(sandbox).status_code for _ in range(3)] == [500, 500, 200]
    assert sandbox.control("GET", "faults") == {"faults": []}


def test_fault_without_end_strikes_until_it_is_removed(sandbox: SandboxProcess) -> None:
    fault = sandbox.fault("calcom", "bare_500", times=None)
    before = [me(sandbox).status_code for _ in range(3)]

    sandbox.control("DELETE", f"faults/{fault['id']}")

    assert ([*before, me(sandbox).status_code]) == [500, 500, 500, 200]


def test_fault_strikes_the_calls_of_its_pattern_only(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "bare_500", "bookings.*", times=None)

    assert [me(sandbox).status_code, book(sandbox).status_code] == [200, 500]


def test_faults_are_listed_and_cleared(sandbox: SandboxProcess) -> None:
    fault = sandbox.fault("stripe", "delay", "refunds.*", seconds=3)

    assert sandbox.control("GET", "faults") == {"faults": [fault]}
    expected = {
        "vendor": "stripe",
        "kind": "delay",
        "call": "refunds.*",
        "times": 1,
        "used": 0,
        "seconds": 3,
        "done": False,
    }
    assert {name: fault[name] for name in expected} == expected
    sandbox.clear_faults()
    assert sandbox.control("GET", "faults") == {"faults": []}


@pytest.mark.parametrize(
    ("description", "field"),
    [
        ({"vendor": "paypal", "kind": "drop"}, "vendor"),
        ({"vendor": "calcom", "kind": "explode"}, "kind"),
        ({"vendor": "razorpay", "kind": "slot_taken"}, "kind"),
        ({"vendor": "calcom", "kind": "drop", "times": 0}, "times"),
        ({"vendor": "calcom", "kind": "drop", "call": "booking.create"}, "call"),
        ({"vendor": "calcom", "kind": "delay", "seconds": "long"}, "seconds"),
        ({"vendor": "calcom", "kind": "delay", "minutes": 1}, "minutes"),
        ({"vendor": "calcom", "kind": "slot_taken", "form": "rude"}, "form"),
    ],
)
def test_fault_described_wrongly_is_refused_by_field(
    sandbox: SandboxProcess, description: dict[str, Any], field: str
) -> None:
    response = requests.post(f"{sandbox.url}/control/faults", json=description, timeout=10)

    assert (response.status_code, list(response.json()["fields"])) == (400, [field])
    assert sandbox.control("GET", "faults") == {"faults": []}


def test_every_kind_can_be_switched_on_for_each_of_its_vendors(sandbox: SandboxProcess) -> None:
    pairs = [(vendor, name) for name, kind in KINDS.items() for vendor in kind.vendors]

    added = [sandbox.fault(vendor, name) for vendor, name in pairs]

    assert [(fault["vendor"], fault["kind"]) for fault in added] == pairs


def test_call_log_tells_what_was_asked_and_what_struck(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "drop", "bookings.create")
    with pytest.raises(requests.ConnectionError):
        book(sandbox)
    book(sandbox)

    log = sandbox.call_log("calcom.bookings.create")

    assert [(entry["status"], entry["faults"]) for entry in log] == [(None, ["drop"]), (400, [])]
    assert [entry["body"]["attendee"]["name"] for entry in log] == ["Asha Rao", "Asha Rao"]
    assert sandbox.calls("calcom.bookings.create") == 2
