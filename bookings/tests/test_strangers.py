"""What somebody may learn and do who knows no more than a client's email."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bookings.models import Booking
from bookings.services.cancellation import cancel_by_client
from bookings.tests.builders import next_slot
from consent.models import ConsentRecord
from payments.models import Payment

if TYPE_CHECKING:
    from datetime import datetime

    from pytest_django import Settings
    from rest_framework.test import APIClient

    from bookings.tests.visitor import Visitor

KNOWN, UNKNOWN = "jane@example.com", "eve@example.com"


def heard(answer: tuple[int, dict[str, Any]]) -> tuple[int, Any]:
    """What an answer tells: a refusal word for word, of anything else its shape."""
    status, body = answer
    if status < 400:
        return status, sorted(body)
    return status, {name: value for name, value in body.items() if name != "requestId"}


def ask_as(visitor: Visitor, email: str, hour: int, path: str, **extra: Any) -> tuple[int, Any]:
    visitor.email, visitor.starts_at = email, next_slot(hour)
    return heard(visitor.post(path, visitor.wish | extra))


@pytest.mark.parametrize("age_band", ["under_18", "adult", ""])
@pytest.mark.parametrize(("session", "pay_with"), [("individual", "razorpay"), ("free", None)])
def test_hold_says_the_same_whether_we_know_the_email_at_every_age(
    visitor: Visitor, session: str, pay_with: str | None, age_band: str
) -> None:
    visitor.session_type, visitor.session_format = session, None
    assert visitor.consent()[0] == 201

    known, unknown = (
        ask_as(visitor, email, hour, "/api/bookings/hold", payWith=pay_with, ageBand=age_band)
        for email, hour in ((KNOWN, 12), (UNKNOWN, 14))
    )

    assert (known, known[0]) == (unknown, 400 if age_band == "under_18" else 201)


def test_refused_hold_leaves_nothing_behind(visitor: Visitor) -> None:
    ask_as(visitor, UNKNOWN, 12, "/api/bookings/hold", payWith="razorpay", ageBand="under_18")

    assert ConsentRecord.objects.count() == 0


def book_free_call(visitor: Visitor) -> tuple[int, dict[str, Any]]:
    """Agree and book as our page does."""
    visitor.session_type, visitor.session_format = "free", None
    visitor.extra["consentId"] = visitor.consent()[1]["consentId"]
    return visitor.book()


def one_of(emails: int) -> str:
    return f"person{emails}@example.com"


def test_one_network_fills_no_calendar_with_free_calls(visitor: Visitor, settings: Settings) -> None:
    settings.FREE_CALLS_PER_ADDRESS = 2

    answers = []
    for number in range(3):
        visitor.email, visitor.starts_at = one_of(number), next_slot(10 + number)
        answers.append(book_free_call(visitor))
    held = visitor.hold(None)

    assert [status for status, _ in answers] == [201, 201, 429]
    assert [answers[2][1]["code"], held[0], held[1]["code"]] == ["too_many_holds", 429, "too_many_holds"]
    assert len(visitor.sandbox.state()["calcom"]["bookings"]) == 2


def test_cancelling_makes_no_room_for_further_free_calls_on_the_same_day(
    visitor: Visitor, settings: Settings, now: datetime
) -> None:
    settings.FREE_CALLS_PER_ADDRESS = 1
    book_free_call(visitor)
    cancel_by_client(booking_id=Booking.objects.get().id, now=now)
    visitor.email, visitor.starts_at = UNKNOWN, next_slot(12)

    same_day = book_free_call(visitor)
    Booking.objects.update(created_at=now - timedelta(days=1))
    next_day = book_free_call(visitor)

    assert (same_day[0], next_day[0]) == (429, 201)


def test_free_calls_of_one_network_do_not_stand_in_the_way_of_another(
    visitor: Visitor, settings: Settings, api: APIClient
) -> None:
    settings.FREE_CALLS_PER_ADDRESS = 1
    book_free_call(visitor)
    visitor.email, visitor.starts_at = UNKNOWN, next_slot(12)
    visitor.extra["consentId"] = None

    here = visitor.book()
    elsewhere = api.post("/api/bookings", visitor.wish, REMOTE_ADDR="198.51.100.7")

    assert (here[0], elsewhere.status_code) == (429, 201)


def test_holds_in_somebodys_name_from_elsewhere_leave_them_their_own(visitor: Visitor, api: APIClient) -> None:
    def hold(hour: int, address: str) -> int:
        visitor.starts_at = next_slot(hour)
        return api.post("/api/bookings/hold", visitor.wish | {"payWith": "razorpay"}, REMOTE_ADDR=address).status_code

    there = [hold(hour, "198.51.100.7") for hour in (9, 10, 11)]
    here = [hold(hour, "203.0.113.9") for hour in (12, 13, 14)]

    assert (there, here) == ([201, 201, 429], [201, 201, 429])


def test_holds_of_one_email_are_bounded_everywhere(visitor: Visitor, api: APIClient, settings: Settings) -> None:
    settings.HOLDS_PER_EMAIL_ANYWHERE = 3
    statuses = []
    for number in range(4):
        visitor.starts_at = next_slot(10 + number)
        body = visitor.wish | {"payWith": "razorpay"}
        statuses.append(api.post("/api/bookings/hold", body, REMOTE_ADDR=f"198.51.100.{number}").status_code)

    assert statuses == [201, 201, 201, 429]


def test_holds_of_one_ipv6_network_are_counted_together(visitor: Visitor, api: APIClient) -> None:
    def hold(number: int) -> int:
        day, hour = divmod(number, 4)
        visitor.email, visitor.starts_at = one_of(number), next_slot(10 + 2 * hour, days=3 + day)
        address = f"2001:db8:0:1::{number + 1:x}"
        return api.post("/api/bookings/hold", visitor.wish | {"payWith": "razorpay"}, REMOTE_ADDR=address).status_code

    assert [hold(number) for number in range(11)] == [201] * 10 + [429]


@pytest.mark.parametrize(("paid_ago", "is_let_in"), [(timedelta(minutes=5), True), (timedelta(days=1), False)])
def test_receipt_and_email_open_no_booking_but_the_payers_own_call_repeated_does(
    visitor: Visitor, paid_ago: timedelta, is_let_in: bool, now: datetime
) -> None:
    payment_id = visitor.paid_payment_id()
    _, first = visitor.book(payment_id)
    Booking.objects.update(created_at=now - paid_ago)
    Payment.objects.update(captured_at=now - paid_ago)

    status, again = visitor.book(payment_id)

    assert (status, again["bookingId"]) == (201, first["bookingId"])
    assert [again[link] is not None for link in ("manageUrl", "confirmationUrl")] == [is_let_in] * 2


def test_who_names_the_consent_is_let_in_days_after_the_payment_too(visitor: Visitor, now: datetime) -> None:
    visitor.extra["consentId"] = visitor.consent()[1]["consentId"]
    payment_id = visitor.paid_payment_id()
    visitor.book(payment_id)
    Booking.objects.update(created_at=now - timedelta(days=1))
    Payment.objects.update(captured_at=now - timedelta(days=1))

    _, again = visitor.book(payment_id)

    assert again["manageUrl"] is not None


@pytest.mark.parametrize(
    ("name", "greeted_as"),
    [
        ("Jane Doe", "Jane"),
        ("Dr. Asha Rao", "Dr."),
        ("J.R. Rao", "J.R."),
        ("\u0906\u0936\u093e Rao", "\u0906\u0936\u093e"),
        ("evil.example", ""),
        ("Win! http://evil", ""),
        ("evil/win", ""),
        ("evil:8080", ""),
        ("evil\uff0eexample", ""),
        ("evil\u3002example", ""),
        ("10.0.0.1 Jane", ""),
        ("mail me@evil", ""),
    ],
)
def test_name_that_carries_an_address_greets_nobody(name: str, greeted_as: str) -> None:
    assert Booking(customer_name=name).customer_first_name == greeted_as
