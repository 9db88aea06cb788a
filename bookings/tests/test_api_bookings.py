"""The booking calls as the front end meets them: refusals, repeats, races."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from bookings.models import Booking
from bookings.states import BookingState
from bookings.tests.builders import make_payment, next_slot
from payments.models import Payment

if TYPE_CHECKING:
    from bookings.tests.visitor import Visitor

ENVELOPE = ["code", "error", "fields", "requestId", "success"]


def test_hold_pay_verify_book_ends_confirmed(visitor: Visitor) -> None:
    _, hold = visitor.hold()
    triple = visitor.pay(hold["payment"]["orderId"])
    visitor.verify(triple)

    status, booked = visitor.book(triple["razorpay_payment_id"])

    assert (status, booked["bookingId"], booked["status"]) == (201, hold["bookingId"], "confirmed")


def test_booking_believes_a_payment_that_was_never_verified(visitor: Visitor) -> None:
    _, order = visitor.order()
    triple = visitor.pay(order["orderId"])

    status, _ = visitor.book(triple["razorpay_payment_id"])

    assert status == 201


def test_booking_captures_what_is_only_authorized(visitor: Visitor) -> None:
    _, order = visitor.order()
    triple = visitor.pay(order["orderId"], "authorized")

    assert visitor.verify(triple) == (200, {"verified": True, "paymentId": triple["razorpay_payment_id"]})


def test_booking_refuses_a_failed_payment_and_takes_the_next_try(visitor: Visitor) -> None:
    _, order = visitor.order()
    failed = visitor.pay(order["orderId"], "failed")
    status, answer = visitor.book(failed["razorpay_payment_id"])
    paid = visitor.pay(order["orderId"])

    again, _ = visitor.book(paid["razorpay_payment_id"])

    assert (status, answer["code"], again) == (402, "payment_required", 201)


def test_booking_repeated_answers_with_the_same_booking(visitor: Visitor) -> None:
    payment_id = visitor.paid_payment_id()

    first, second = visitor.book(payment_id), visitor.book(payment_id)

    assert (first[0], second[0]) == (201, 201)
    assert second[1]["bookingId"] == first[1]["bookingId"]
    assert visitor.sandbox.calls("calcom.bookings.create") == 1


def test_booking_taken_keeps_the_money_for_another_slot(visitor: Visitor) -> None:
    visitor.book(visitor.paid_payment_id())
    visitor.email = "john@example.com"
    payment_id = visitor.paid_payment_id()

    refused, answer = visitor.book(payment_id)
    visitor.starts_at = next_slot(12)
    accepted, _ = visitor.book(payment_id)

    assert (refused, answer["code"], sorted(answer), accepted) == (409, "slot_taken", ENVELOPE, 201)


def test_booking_refused_by_the_calendar_keeps_the_money_for_another_slot(visitor: Visitor) -> None:
    payment_id = visitor.paid_payment_id()
    visitor.sandbox.fault("calcom", "slot_taken", "bookings.create")

    refused, answer = visitor.book(payment_id)
    visitor.starts_at = next_slot(12)
    accepted, _ = visitor.book(payment_id)

    assert (refused, answer["code"], accepted) == (409, "slot_taken", 201)


def test_booking_with_a_silent_calendar_is_pending(visitor: Visitor, settings: Any) -> None:
    settings.CALENDAR_REQUEST_DEADLINE = 0.4
    payment_id = visitor.paid_payment_id()
    visitor.sandbox.fault("calcom", "hang", "bookings.create", seconds=2)

    status, answer = visitor.book(payment_id)

    assert (status, answer["status"], answer["confirmationUrl"]) == (202, "pending", None)


def test_booking_status_opens_with_the_holds_token_only(visitor: Visitor, api: APIClient) -> None:
    _, mine = visitor.hold()
    visitor.email, visitor.starts_at = "john@example.com", next_slot(12)
    _, other = visitor.hold()

    own = api.get(f"/api/bookings/{mine['bookingId']}", headers={"Authorization": f"Bearer {mine['token']}"})
    foreign = api.get(f"/api/bookings/{mine['bookingId']}", headers={"Authorization": f"Bearer {other['token']}"})
    none = api.get(f"/api/bookings/{mine['bookingId']}")

    assert (own.status_code, own.json()["status"]) == (200, "held")
    assert (foreign.status_code, none.status_code) == (401, 401)
    assert sorted(foreign.json()) == ENVELOPE


def test_booking_status_closes_when_the_link_is_revoked(visitor: Visitor, api: APIClient) -> None:
    _, hold = visitor.hold()
    Booking.objects.update(link_version=2)

    response = api.get(f"/api/bookings/{hold['bookingId']}", headers={"Authorization": f"Bearer {hold['token']}"})

    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_hold_is_let_go_by_its_token(visitor: Visitor, api: APIClient) -> None:
    _, hold = visitor.hold()
    path, bearer = f"/api/bookings/{hold['bookingId']}/cancel", {"Authorization": f"Bearer {hold['token']}"}

    stranger, own, again = api.post(path), api.post(path, headers=bearer), api.post(path, headers=bearer)

    assert (stranger.status_code, own.status_code, own.json()["status"]) == (401, 200, "cancelled")
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")


def test_hold_taken_says_so(visitor: Visitor) -> None:
    visitor.hold()
    visitor.email = "john@example.com"

    status, answer = visitor.hold()

    assert (status, answer["code"], answer["success"]) == (409, "slot_taken", False)


def test_hold_makes_the_slot_unavailable_to_others(visitor: Visitor, api: APIClient) -> None:
    day = visitor.wish["date"]
    visitor.hold()

    slots = api.get("/api/availability", {"date": day, "sessionType": "individual"}).json()["slots"]

    assert {slot["time"]: slot["available"] for slot in slots}["10:00 AM"] is False


@pytest.mark.parametrize("proof", ["consentId", "token"])
def test_free_call_is_held_and_booked_without_payment(visitor: Visitor, api: APIClient, proof: str) -> None:
    visitor.session_type, visitor.session_format = "free", None
    if proof == "consentId":
        visitor.extra["consentId"] = visitor.consent()[1]["consentId"]

    held, hold = visitor.hold(None)
    headers = {"Authorization": f"Bearer {hold['token']}"} if proof == "token" else {}
    booked = api.post("/api/bookings", visitor.wish, headers=headers)

    assert (held, hold["payment"], booked.status_code) == (201, None, 201)
    assert (booked.json()["bookingId"], booked.json()["manageUrl"] is not None) == (hold["bookingId"], True)


@pytest.mark.parametrize("token", ["rubbish", ""])
def test_stale_token_breaks_no_booking(visitor: Visitor, api: APIClient, token: str) -> None:
    body = visitor.wish | {"paymentId": visitor.paid_payment_id()}

    assert api.post("/api/bookings", body, headers={"Authorization": f"Bearer {token}"}).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sessionType": "group"}, "sessionType"),
        ({"sessionType": "individual", "format": "fax"}, "format"),
        ({"date": "yesterday"}, "date"),
        ({"date": "2020-01-01"}, "date"),
        ({"date": "9999-12-31"}, "date"),
        ({"date": "2027-02-30"}, "date"),
        ({"time": "25:00 PM"}, "time"),
        ({"time": 10}, "time"),
        ({"customer": {"name": "x" * 10_000, "email": "jane@example.com"}}, "customer.name"),
        ({"customer": {"name": "Jane\u0000Doe", "email": "jane@example.com"}}, "customer.name"),
        ({"customer": {"name": "", "email": "jane@example.com"}}, "customer.name"),
        ({"customer": {"name": "Jane", "email": "jane@"}}, "customer.email"),
        ({"customer": {"name": "Jane", "email": "jane@example.com\r\nBcc: x@y.z"}}, "customer.email"),
        ({"customer": {"name": "Jane", "email": "jane@example.com", "phone": "12"}}, "customer.phone"),
        ({"customer": "Jane"}, "customer"),
        ({"customer": None}, "customer"),
        ({"consentAccepted": False}, "consentAccepted"),
        ({"consentAccepted": "yes"}, "consentAccepted"),
        ({"consentId": "consent_x"}, "consentId"),
        ({"consentId": "consent_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, "consentId"),
        ({"paymentId": "pay_forged12345678"}, "paymentId"),
        ({"paymentId": {"$ne": None}}, "paymentId"),
        ({"paymentId": "x" * 5_000}, "paymentId"),
    ],
)
def test_booking_names_the_field_that_is_wrong(change: dict[str, Any], field: str, visitor: Visitor) -> None:
    body = visitor.wish | {"paymentId": make_payment().provider_payment_id} | change

    status, answer = visitor.post("/api/bookings", body)

    assert (status, sorted(answer), list(answer["fields"])) == (400, ENVELOPE, [field])
    assert Booking.objects.count() == 0


@pytest.mark.parametrize("field", ["sessionType", "date", "time", "customer"])
def test_booking_names_the_field_that_is_missing(field: str, visitor: Visitor) -> None:
    body = visitor.wish
    del body[field]

    status, answer = visitor.post("/api/bookings", body)

    assert (status, list(answer["fields"])) == (400, [field])


@pytest.mark.parametrize(
    ("raw", "content_type", "status", "code"),
    [
        (b'{"sessionType": ', "application/json", 400, "malformed_json"),
        (b"\xff\xfe", "application/json", 400, "malformed_json"),
        (b"[]", "application/json", 400, "malformed_json"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b'{"a": "' + b"x" * 70_000 + b'"}', "application/json", 413, "payload_too_large"),
    ],
)
def test_booking_refuses_a_body_that_cannot_be_read(
    raw: bytes, content_type: str, status: int, code: str, visitor: Visitor, api: APIClient
) -> None:
    response = api.generic("POST", "/api/bookings", raw, content_type=content_type)  # type: ignore[arg-type]

    assert (response.status_code, response.json()["code"], sorted(response.json())) == (status, code, ENVELOPE)


def test_booking_of_one_slot_by_fifty_paid_people_at_once_sells_it_once(visitor: Visitor, settings: Any) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, "10000/m")
    payments = [make_payment() for _ in range(50)]

    def book(number: int) -> tuple[int, str]:
        body = visitor.wish | {
            "customer": {"name": "Somebody", "email": f"person{number}@example.com"},
            "paymentId": payments[number].provider_payment_id,
        }
        response = APIClient().post("/api/bookings", body)
        connections.close_all()
        return response.status_code, response.json().get("code", "")

    with ThreadPoolExecutor(25) as crowd:
        results = list(crowd.map(book, range(50)))

    assert (results.count((201, "")), results.count((409, "slot_taken"))) == (1, 49)
    assert len(visitor.sandbox.state()["calcom"]["bookings"]) == 1
    spent = Booking.objects.get(state=BookingState.CONFIRMED).payment
    assert Payment.objects.filter(state="CAPTURED", attention="").count() == 50
    assert list(Payment.objects.exclude(bookings=None)) == [spent]
