"""The specification's six calls and two tables, to the letter; dates are moved to the future and ids are real ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from bookings.practice_time import local
from bookings.tests.builders import next_slot

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from bookings.tests.visitor import Visitor

CONSENT = {
    "sessionType": "individual",
    "email": "jane@example.com",
    "consentVersion": "2024-01-15",
    "acknowledgments": ["item1", "item2", "item3"],
    "ipAddress": "xxx.xxx.xxx.xxx",
    "userAgent": "Mozilla/5.0...",
}
CUSTOMER = {"name": "Jane Doe", "email": "jane@example.com", "phone": "+919876543210"}
DAY = local(next_slot()).date().isoformat()
CHECKOUT = {
    "sessionType": "individual",
    "format": "video",
    "customer": {"email": "jane@example.com"},
    "successUrl": "https://mindfulqalb.com/booking/success",
    "cancelUrl": "https://mindfulqalb.com/booking/cancel",
}
# The specification's SQL, as PostgreSQL describes it; TIMESTAMP is timestamptz here.
BOOKINGS = {
    "id": ("uuid", None, "NO", "gen_random_uuid()"),
    "calcom_booking_id": ("character varying", 255, "YES", None),
    "session_type": ("character varying", 50, "NO", None),
    "session_date": ("date", None, "NO", None),
    "session_time": ("time without time zone", None, "NO", None),
    "customer_name_encrypted": ("bytea", None, "NO", None),
    "customer_email_encrypted": ("bytea", None, "NO", None),
    "customer_phone_encrypted": ("bytea", None, "YES", None),
    "payment_id": ("character varying", 255, "YES", None),
    "payment_status": ("character varying", 50, "YES", None),
    "consent_id": ("uuid", None, "YES", None),
    "created_at": ("timestamp with time zone", None, "YES", "CURRENT_TIMESTAMP"),
    "updated_at": ("timestamp with time zone", None, "YES", "CURRENT_TIMESTAMP"),
}
CONSENT_RECORDS = {
    "id": ("uuid", None, "NO", "gen_random_uuid()"),
    "session_type": ("character varying", 50, "NO", None),
    "email_hash": ("character varying", 64, "NO", None),
    "consent_version": ("character varying", 20, "NO", None),
    "acknowledgments": ("jsonb", None, "NO", None),
    "ip_address": ("character varying", 45, "YES", None),
    "user_agent": ("text", None, "YES", None),
    "created_at": ("timestamp with time zone", None, "YES", "CURRENT_TIMESTAMP"),
    "expires_at": ("timestamp with time zone", None, "NO", None),
}


def _columns(table: str, names: list[str]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type, character_maximum_length, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_name = %s AND column_name = ANY(%s)",
            [table, names],
        )
        return {name: rest for name, *rest in cursor.fetchall()}


@pytest.mark.django_db
@pytest.mark.parametrize(("table", "specified"), [("bookings", BOOKINGS), ("consent_records", CONSENT_RECORDS)])
def test_table_has_every_specified_column(table: str, specified: dict[str, Any]) -> None:
    assert _columns(table, list(specified)) == {name: list(facts) for name, facts in specified.items()}


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["bookings", "consent_records"])
def test_table_has_id_as_primary_key(table: str) -> None:
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, table)

    assert [facts["columns"] for facts in constraints.values() if facts["primary_key"]] == [["id"]]


@pytest.mark.django_db
def test_bookings_consent_refers_to_consent_records() -> None:
    with connection.cursor() as cursor:
        relations = connection.introspection.get_relations(cursor, "bookings")

    assert (relations["consent_id"], relations["payment_id"]) == (
        ("id", "consent_records"),
        ("provider_payment_id", "payments"),
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_availability_answers_as_specified(method: str, visitor: Visitor, api: APIClient) -> None:
    asked = {"date": DAY, "sessionType": "individual"}

    response = api.get("/api/availability", asked) if method == "GET" else api.post("/api/availability", asked)

    slots = response.json()["slots"]
    assert response.status_code == 200
    assert [(slot["time"], slot["available"]) for slot in slots[:5]] == [
        ("9:00 AM", True),
        ("10:00 AM", True),
        ("11:00 AM", True),
        ("12:00 PM", True),
        ("1:00 PM", True),
    ]


def test_create_order_answers_as_specified(visitor: Visitor, api: APIClient) -> None:
    response = api.post("/api/payments/create-order", {"sessionType": "individual", "format": "video"})

    answer = response.json()
    assert response.status_code == 200
    assert re.fullmatch(r"order_[A-Za-z0-9]{14}", answer.pop("orderId"))
    assert answer == {"amount": 129900, "currency": "INR", "keyId": "rzp_test_sandbox"}


def test_create_order_takes_no_amount_from_the_browser(visitor: Visitor, api: APIClient) -> None:
    asked = {"sessionType": "individual", "format": "video", "amount": 100, "price": 1}

    response = api.post("/api/payments/create-order", asked)

    assert response.json()["amount"] == 129900


def test_verify_answers_as_specified(visitor: Visitor) -> None:
    _, order = visitor.order()
    triple = visitor.pay(order["orderId"])

    assert visitor.verify(triple) == (200, {"verified": True, "paymentId": triple["razorpay_payment_id"]})


def test_create_checkout_answers_as_specified(visitor: Visitor, api: APIClient, settings: Any) -> None:
    settings.CHECKOUT_RETURN_ORIGINS = ["https://mindfulqalb.com"]

    response = api.post("/api/payments/create-checkout", CHECKOUT)

    answer = response.json()
    assert response.status_code == 200
    assert sorted(answer) == ["sessionId", "url"]
    assert re.fullmatch(r"cs_(test|live)_[A-Za-z0-9]+", answer["sessionId"])
    assert answer["url"].startswith(visitor.sandbox.url)


def test_consent_answers_as_specified(visitor: Visitor, api: APIClient) -> None:
    response = api.post("/api/consent", CONSENT)

    answer = response.json()
    assert response.status_code == 201
    assert re.fullmatch(r"consent_[a-z2-7]{26}", answer.pop("consentId"))
    assert answer == {"success": True}


def test_booking_answers_as_specified(visitor: Visitor, api: APIClient) -> None:
    payment_id = visitor.paid_payment_id()

    response = api.post(
        "/api/bookings",
        {
            "sessionType": "individual",
            "date": DAY,
            "time": "10:00 AM",
            "customer": CUSTOMER,
            "consentAccepted": True,
            "paymentId": payment_id,
        },
    )

    answer = response.json()
    assert response.status_code == 201
    assert answer["success"] is True
    assert re.fullmatch(r"booking_[a-z2-7]{26}", answer["bookingId"])
    uid = visitor.sandbox.state()["calcom"]["bookings"][0]["uid"]
    assert answer["confirmationUrl"] == f"{visitor.sandbox.url}/calcom/booking/{uid}"


def test_booking_accepts_a_stripe_session(visitor: Visitor, api: APIClient, settings: Any) -> None:
    settings.CHECKOUT_RETURN_ORIGINS = ["https://mindfulqalb.com"]
    session = api.post("/api/payments/create-checkout", CHECKOUT).json()["sessionId"]
    visitor.sandbox.pay_stripe(session)

    status, answer = visitor.book(session)

    assert (status, answer["status"]) == (201, "confirmed")


@pytest.mark.parametrize("session_type", ["individual", "individual-video", "video"])
def test_session_type_may_arrive_in_three_spellings(session_type: str, visitor: Visitor, api: APIClient) -> None:
    response = api.post("/api/payments/create-order", {"sessionType": session_type})

    assert response.json()["amount"] == 129900
