"""Stripe, driven with its own SDK."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests
import stripe

from mindfulqalb.sandbox.tests.clients import TIMEOUT, make_session, session_params, stripe_client, under

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

HALF_AN_HOUR, A_DAY = 30 * 60, 24 * 3600


def paid(sandbox: SandboxProcess, **overrides: Any) -> str:
    """Make a session, pay it, and return the payment intent's id."""
    shown = sandbox.pay_stripe(make_session(sandbox, **overrides).id)
    return str(shown["session"]["payment_intent"])


def refusal(sandbox: SandboxProcess, **overrides: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        make_session(sandbox, **overrides)
    return caught.value


def priced(**price: Any) -> list[dict[str, Any]]:
    data = {"currency": "usd", "unit_amount": 1600, "product_data": {"name": "Session"}, **price}
    return [{"quantity": 1, "price_data": {name: value for name, value in data.items() if value is not None}}]


def test_session_answers_its_object(sandbox: SandboxProcess) -> None:
    session = make_session(sandbox).to_dict()

    expected = {
        "object": "checkout.session",
        "status": "open",
        "payment_status": "unpaid",
        "amount_total": 1600,
        "currency": "usd",
        "client_reference_id": "17",
        "customer_email": "asha@example.com",
        "metadata": {"payment": "17"},
        "mode": "payment",
        "livemode": False,
        "payment_intent": None,
        "success_url": "https://site.example/return?session_id={CHECKOUT_SESSION_ID}",
        "url": f"{sandbox.url}/stripe/pay/{session['id']}",
    }
    assert {name: session[name] for name in expected} == expected
    assert session["id"].startswith("cs_test_")
    assert session["expires_at"] == session["created"] + A_DAY


def test_session_retrieved_is_the_same(sandbox: SandboxProcess) -> None:
    session = make_session(sandbox)

    assert stripe_client(sandbox).v1.checkout.sessions.retrieve(session.id).to_dict() == session.to_dict()


@pytest.mark.parametrize(
    ("seconds", "message"),
    [
        (HALF_AN_HOUR - 60, "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."),
        (A_DAY + 60, "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."),
    ],
)
def test_session_expiry_has_bounds(sandbox: SandboxProcess, seconds: int, message: str) -> None:
    error = refusal(sandbox, expires_at=int(time.time()) + seconds)

    assert (error.http_status, error.param, error.user_message) == (400, "expires_at", message)


@pytest.mark.parametrize(
    ("overrides", "param", "code"),
    [
        ({"colour": "red"}, "colour", "parameter_unknown"),
        ({"line_items": priced(colour="red")}, "line_items[0][price_data][colour]", "parameter_unknown"),
        (
            {"line_items": priced(unit_amount=12.5)},
            "line_items[0][price_data][unit_amount]",
            "parameter_invalid_integer",
        ),
        ({"line_items": priced(unit_amount=None)}, "line_items[0][price_data][unit_amount]", "parameter_missing"),
        ({"line_items": priced(currency="xyz")}, "line_items[0][price_data][currency]", None),
        ({"line_items": priced(unit_amount=10)}, "line_items", "amount_too_small"),
        (
            {"line_items": priced(product_data={"name": ""})},
            "line_items[0][price_data][product_data][name]",
            "parameter_invalid_empty",
        ),
        ({"mode": "rent"}, "mode", None),
        ({"success_url": "return"}, "success_url", "url_invalid"),
        ({"customer_email": "nobody"}, "customer_email", "email_invalid"),
        ({"client_reference_id": "x" * 201}, "client_reference_id", "parameter_invalid_string"),
        ({"metadata": {"a": "x" * 501}}, "metadata[a]", "parameter_invalid_string"),
    ],
)
def test_session_refuses(sandbox: SandboxProcess, overrides: dict[str, Any], param: str, code: str | None) -> None:
    error = refusal(sandbox, **overrides)

    assert (error.http_status, error.param, error.code) == (400, param, code)


def test_session_needs_a_success_url(sandbox: SandboxProcess) -> None:
    params = session_params()
    del params["success_url"]

    with pytest.raises(stripe.InvalidRequestError, match=r"Missing required param: success_url\."):
        stripe_client(sandbox).v1.checkout.sessions.create(params=params)


def test_unknown_session_is_missing(sandbox: SandboxProcess) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client(sandbox).v1.checkout.sessions.retrieve("cs_unknown")

    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    assert caught.value.user_message == "No such checkout.session: 'cs_unknown'"


def test_bad_key_is_an_authentication_error(sandbox: SandboxProcess) -> None:
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key provided"):
        stripe_client(sandbox, "sk_test_another").v1.checkout.sessions.list()


def test_idempotency_key_replays_the_first_answer(sandbox: SandboxProcess) -> None:
    create, options = stripe_client(sandbox).v1.checkout.sessions.create, under("cs:1")

    first = create(params=session_params(), options=options)
    second = create(params=session_params(), options=options)

    assert second.id == first.id
    response: Any = second.last_response
    assert response.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.state()["stripe"]["sessions"]) == 1


def test_idempotency_key_makes_one_session_for_many_callers(sandbox: SandboxProcess) -> None:
    def create() -> str:
        sessions = stripe_client(sandbox).v1.checkout.sessions
        return str(sessions.create(params=session_params(), options=under("cs:1")).id)

    with ThreadPoolExecutor(8) as threads:
        ids = {call.result() for call in [threads.submit(create) for _ in range(8)]}

    assert ids == {session["id"] for session in sandbox.state()["stripe"]["sessions"]}
    assert len(ids) == 1


def test_idempotency_key_compares_parameters_and_endpoint(sandbox: SandboxProcess) -> None:
    client, options = stripe_client(sandbox), under("cs:1")
    client.v1.checkout.sessions.create(params=session_params(), options=options)

    with pytest.raises(stripe.IdempotencyError, match="same parameters"):
        client.v1.checkout.sessions.create(params=session_params(client_reference_id="18"), options=options)
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.refunds.create(params={"payment_intent": "pi_1"}, options=options)


def test_idempotency_key_keeps_no_validation_failure(sandbox: SandboxProcess) -> None:
    create, options = stripe_client(sandbox).v1.checkout.sessions.create, under("cs:1")
    with pytest.raises(stripe.InvalidRequestError):
        create(params=session_params(mode="rent"), options=options)

    assert create(params=session_params(), options=options).status == "open"


def test_idempotency_key_is_forgotten_after_a_day(sandbox: SandboxProcess) -> None:
    create, options = stripe_client(sandbox).v1.checkout.sessions.create, under("cs:1")
    first = create(params=session_params(), options=options)

    sandbox.advance(A_DAY + 1)

    assert create(params=session_params(), options=options).id != first.id


def test_pay_completes_the_session(sandbox: SandboxProcess) -> None:
    client, session = stripe_client(sandbox), make_session(sandbox)

    told = sandbox.pay_stripe(session.id)

    assert told["redirect"] == f"https://site.example/return?session_id={session.id}"
    params: Any = {"expand": ["payment_intent.latest_charge", "line_items"]}
    done = client.v1.checkout.sessions.retrieve(session.id, params=params)
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    intent: Any = done.payment_intent
    assert (intent.status, intent.amount_received, intent.metadata.to_dict()) == ("succeeded", 1600, {"payment": "17"})
    assert (intent.latest_charge.paid, intent.latest_charge.amount) == (True, 1600)
    assert [item.description for item in done.line_items or []] == ["Session"]


def test_pay_twice_is_refused(sandbox: SandboxProcess) -> None:
    session = make_session(sandbox)
    sandbox.pay_stripe(session.id)

    with pytest.raises(requests.HTTPError, match="this Checkout Session is complete"):
        sandbox.pay_stripe(session.id)


@pytest.mark.parametrize(("end", "intent_status"), [("succeeded", "succeeded"), ("failed", "requires_payment_method")])
def test_delayed_method_is_complete_and_unpaid_until_it_is_settled(
    sandbox: SandboxProcess, end: str, intent_status: str
) -> None:
    session = make_session(sandbox)
    client = stripe_client(sandbox).v1

    sandbox.pay_stripe(session.id, "delayed")
    before = client.checkout.sessions.retrieve(session.id)
    sandbox.settle("stripe/sessions", session.id, end)

    after = client.checkout.sessions.retrieve(session.id)
    assert (before.status, before.payment_status) == ("complete", "unpaid")
    assert after.payment_status == ("paid" if end == "succeeded" else "unpaid")
    assert client.payment_intents.retrieve(str(after.payment_intent)).status == intent_status


def test_declined_card_leaves_the_session_open(sandbox: SandboxProcess) -> None:
    session = make_session(sandbox)

    declined = sandbox.pay_stripe(session.id, "declined")["session"]
    paid_after_all = sandbox.pay_stripe(session.id)["session"]

    assert (declined["status"], declined["payment_status"]) == ("open", "unpaid")
    assert (paid_after_all["payment_status"], paid_after_all["payment_intent"]) == ("paid", declined["payment_intent"])


def test_expire_closes_an_open_session_only(sandbox: SandboxProcess) -> None:
    client, open_one, paid_one = stripe_client(sandbox), make_session(sandbox), make_session(sandbox)
    sandbox.pay_stripe(paid_one.id)

    expired = client.v1.checkout.sessions.expire(open_one.id)

    assert (expired.status, expired.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError, match="has a status of `complete`"):
        client.v1.checkout.sessions.expire(paid_one.id)
    with pytest.raises(requests.HTTPError, match="this Checkout Session is expired"):
        sandbox.pay_stripe(open_one.id)


def test_session_expires_by_itself(sandbox: SandboxProcess) -> None:
    session = make_session(sandbox, expires_at=int(time.time()) + HALF_AN_HOUR + 60)

    sandbox.advance(HALF_AN_HOUR + 120)

    assert stripe_client(sandbox).v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_sessions_are_listed_by_payment_intent_and_state(sandbox: SandboxProcess) -> None:
    client, open_one = stripe_client(sandbox), make_session(sandbox)
    intent = paid(sandbox)

    by_intent = client.v1.checkout.sessions.list(params={"payment_intent": intent})
    still_open = client.v1.checkout.sessions.list(params={"status": "open"})

    assert [session.payment_intent for session in by_intent.data] == [intent]
    assert [session.id for session in still_open.data] == [open_one.id]


def test_lists_are_newest_first_and_paged(sandbox: SandboxProcess) -> None:
    ids = [make_session(sandbox).id for _ in range(3)]
    client = stripe_client(sandbox)

    first = client.v1.checkout.sessions.list(params={"limit": 2})

    assert ([session.id for session in first.data], first.has_more) == ([ids[2], ids[1]], True)
    assert [session.id for session in first.auto_paging_iter()] == ids[::-1]


def test_refund_in_parts(sandbox: SandboxProcess) -> None:
    client, intent = stripe_client(sandbox), paid(sandbox)
    part: Any = {
        "payment_intent": intent,
        "amount": 600,
        "reason": "requested_by_customer",
        "metadata": {"refund": "42"},
    }

    first = client.v1.refunds.create(params=part)
    rest = client.v1.refunds.create(params={"payment_intent": intent})

    assert (first.status, first.amount, first.reason, first.currency) == (
        "succeeded",
        600,
        "requested_by_customer",
        "usd",
    )
    assert first.metadata is not None
    assert first.metadata.to_dict() == {"refund": "42"}
    assert rest.amount == 1000
    found = client.v1.refunds.list(params={"payment_intent": intent})
    assert [refund.id for refund in found.data] == [rest.id, first.id]
    assert client.v1.refunds.retrieve(first.id).to_dict() == first.to_dict()
    charge = client.v1.charges.retrieve(str(first.charge))
    assert (charge.amount_refunded, charge.refunded) == (1600, True)


@pytest.mark.parametrize(
    ("params", "param", "code"),
    [
        ({"amount": 1601}, "amount", None),
        ({"reason": "boredom"}, "reason", None),
        ({"payment_intent": "pi_unknown"}, "payment_intent", "resource_missing"),
        ({"colour": "red"}, "colour", "parameter_unknown"),
    ],
)
def test_refund_refuses(sandbox: SandboxProcess, params: dict[str, Any], param: str, code: str | None) -> None:
    refund: Any = {"payment_intent": paid(sandbox), **params}

    with pytest.raises(stripe.InvalidRequestError) as caught:
        stripe_client(sandbox).v1.refunds.create(params=refund)

    assert (caught.value.param, caught.value.code) == (param, code)


def test_refund_of_what_is_refunded_or_not_paid_is_refused(sandbox: SandboxProcess) -> None:
    client, intent, session = stripe_client(sandbox), paid(sandbox), make_session(sandbox)
    client.v1.refunds.create(params={"payment_intent": intent})
    unpaid = sandbox.pay_stripe(session.id, "delayed")["session"]["payment_intent"]

    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.refunds.create(params={"payment_intent": intent})
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create(params={"payment_intent": unpaid})
    assert again.value.code == "charge_already_refunded"


def test_equal_refunds_under_two_keys_are_two_and_under_one_key_one(sandbox: SandboxProcess) -> None:
    create, params = stripe_client(sandbox).v1.refunds.create, {"payment_intent": paid(sandbox), "amount": 100}
    made: Any = params

    ids = [create(params=made, options={"idempotency_key": key}).id for key in ("rf:1", "rf:1", "rf:2")]

    assert (ids[0] == ids[1], ids[1] == ids[2]) == (True, False)


def test_pending_refund_that_fails_gives_the_amount_back(sandbox: SandboxProcess) -> None:
    client, intent = stripe_client(sandbox), paid(sandbox)
    sandbox.fault("stripe", "refund_pending", "refunds.create", then=None)

    refund = client.v1.refunds.create(params={"payment_intent": intent})
    sandbox.settle("stripe/refunds", refund.id, "failed")

    assert refund.status == "pending"
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    assert client.v1.charges.retrieve(str(refund.charge)).amount_refunded == 0


def test_events_can_be_asked_for(sandbox: SandboxProcess) -> None:
    client, session = stripe_client(sandbox), make_session(sandbox)
    sandbox.pay_stripe(session.id)

    found = client.v1.events.list(params={"type": "checkout.session.completed"})

    assert [event.data.object["id"] for event in found.data] == [session.id]
    assert client.v1.events.retrieve(found.data[0].id).to_dict() == found.data[0].to_dict()


def press(sandbox: SandboxProcess, session_id: str, outcome: str) -> requests.Response:
    url = f"{sandbox.url}/stripe/pay/{session_id}"
    return requests.post(url, data={"outcome": outcome}, allow_redirects=False, timeout=TIMEOUT)


@pytest.mark.parametrize(
    ("outcome", "destination", "status"),
    [
        ("paid", "https://site.example/return?session_id={id}", "complete"),
        ("delayed", "https://site.example/return?session_id={id}", "complete"),
        ("declined", "/stripe/pay/{id}?declined=yes", "open"),
        ("cancel", "https://site.example/cancel", "open"),
    ],
)
def test_pay_page_buttons_send_the_browser_on(
    sandbox: SandboxProcess, outcome: str, destination: str, status: str
) -> None:
    session_id = make_session(sandbox).id

    response = press(sandbox, session_id, outcome)

    assert (response.status_code, response.headers["Location"]) == (303, destination.replace("{id}", session_id))
    assert sandbox.state()["stripe"]["sessions"][0]["status"] == status


def test_pay_page_of_a_closed_session_offers_nothing(sandbox: SandboxProcess) -> None:
    session = make_session(sandbox)
    before = requests.get(session.url, timeout=TIMEOUT).text
    stripe_client(sandbox).v1.checkout.sessions.expire(session.id)

    after = requests.get(session.url, timeout=TIMEOUT).text

    assert ("Pay $16.00" in before, "Pay $16.00" in after) == (True, False)
    assert press(sandbox, session.id, "paid").headers["Location"] == f"/stripe/pay/{session.id}"
    assert sandbox.state()["stripe"]["charges"] == []
