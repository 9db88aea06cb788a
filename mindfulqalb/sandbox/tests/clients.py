"""The vendors' clients, pointed at a sandbox: the real SDKs for the gateways, plain requests for Cal.com."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import razorpay
import requests
import stripe

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

KOLKATA = ZoneInfo("Asia/Kolkata")
TIMEOUT = 10
SLOTS = {"cal-api-version": "2024-09-04"}
BOOKINGS = {"cal-api-version": "2024-08-13"}
EVENT_TYPES = {"cal-api-version": "2024-06-14"}
HOST = {"Authorization": "Bearer cal_sandbox"}
VIDEO, CHAT, COUPLES_VIDEO, FREE = 103, 101, 202, 401


def local_moment(days: int, hour: int, minute: int = 0) -> datetime:
    """Return a local clock time some days from now, as a moment in UTC."""
    day = datetime.now(KOLKATA).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=KOLKATA).astimezone(UTC)


def iso(moment: datetime) -> str:
    """Write a moment as callers of Cal.com do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def calcom(
    sandbox: SandboxProcess,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    params: dict[str, Any] | None = None,
    json: Any = None,
) -> requests.Response:
    """Call Cal.com's v2."""
    url = f"{sandbox.url}/calcom/v2/{path}"
    return requests.request(method, url, headers=headers, params=params, json=json, timeout=TIMEOUT)


def booking_body(start: datetime, /, **overrides: Any) -> dict[str, Any]:
    """Return the body of a good booking."""
    attendee = {"name": "Asha Rao", "email": "asha@example.com", "timeZone": "Asia/Kolkata"}
    return {"start": iso(start), "eventTypeId": VIDEO, "attendee": attendee, **overrides}


def book(sandbox: SandboxProcess, start: datetime, /, **overrides: Any) -> dict[str, Any]:
    """Book and return the booking."""
    response = calcom(sandbox, "POST", "bookings", headers=BOOKINGS, json=booking_body(start, **overrides))
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()["data"]
    return made


def slots(sandbox: SandboxProcess, start: datetime, end: datetime, /, **params: Any) -> dict[str, Any]:
    """Return the free slots by local day."""
    query = {"eventTypeId": VIDEO, "start": iso(start), "end": iso(end), "timeZone": "Asia/Kolkata", **params}
    response = calcom(sandbox, "GET", "slots", headers=SLOTS, params=query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()["data"]
    return found


def slot_times(sandbox: SandboxProcess, days: int, **params: Any) -> list[str]:
    """Return the free clock times of one local day."""
    found = slots(sandbox, local_moment(days, 0), local_moment(days, 23, 59), **params)
    return [slot["start"][11:16] for day in found.values() for slot in day]


def razorpay_client(sandbox: SandboxProcess, secret: str = "rzp_sandbox_secret") -> Any:
    """Return Razorpay's own client."""
    return razorpay.Client(auth=("rzp_test_sandbox", secret), base_url=f"{sandbox.url}/razorpay")


def make_order(sandbox: SandboxProcess, **overrides: Any) -> dict[str, Any]:
    """Make an order."""
    client = razorpay_client(sandbox)
    with client.session:
        made: dict[str, Any] = client.order.create({"amount": 129900, "currency": "INR", **overrides}, timeout=TIMEOUT)
    return made


def stripe_client(sandbox: SandboxProcess, key: str = "sk_test_sandbox") -> stripe.StripeClient:
    """Return Stripe's own client."""
    return stripe.StripeClient(key, base_addresses={"api": f"{sandbox.url}/stripe"})


def session_params(**overrides: Any) -> Any:
    """Return good parameters of a Checkout Session."""
    item = {"currency": "usd", "unit_amount": 1600, "product_data": {"name": "Session"}}
    return {
        "mode": "payment",
        "client_reference_id": "17",
        "customer_email": "asha@example.com",
        "metadata": {"payment": "17"},
        "payment_intent_data": {"metadata": {"payment": "17"}},
        "success_url": "https://site.example/return?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://site.example/cancel",
        "line_items": [{"quantity": 1, "price_data": item}],
        **overrides,
    }


def under(key: str) -> Any:
    """Return the options of a call under an idempotency key."""
    return {"idempotency_key": key}


def make_session(sandbox: SandboxProcess, **overrides: Any) -> Any:
    """Make a Checkout Session."""
    return stripe_client(sandbox).v1.checkout.sessions.create(params=session_params(**overrides))
