"""Anybody may ask for a free call by anybody's email: what they hear of one that is there, and what they may do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bookings.models import Booking
from bookings.states import BookingState
from bookings.tests.builders import make_upcoming, make_wish, next_slot
from bookings.tests.test_strangers import KNOWN, UNKNOWN, heard
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.delivery import deliver_due

if TYPE_CHECKING:
    from datetime import datetime

    from rest_framework.test import APIClient

    from bookings.tests.visitor import Visitor

PAST = {"date": "2020-01-01", "time": "10:00 AM"}
FAR = {"date": next_slot(days=300).date().isoformat()}
FREE = {"session_type": "free", "session_format": None}


@pytest.fixture
def caller(visitor: Visitor) -> Visitor:
    """Somebody who wants a free call at noon, while Jane has one at ten in three days."""
    visitor.session_type, visitor.session_format = "free", None
    _free_call_of_jane()
    visitor.starts_at = next_slot(12)
    return visitor


def _free_call_of_jane() -> Booking:
    return make_upcoming(wish=make_wish(day=next_slot().date(), **FREE))


def ask(caller: Visitor, email: str, *, path: str = "/api/bookings", **extra: Any) -> tuple[int, Any]:
    caller.email = email
    return heard(caller.post(path, caller.wish | extra))


def mails_to(caller: Visitor, email: str, now: datetime) -> list[str]:
    deliver_due(now=now + timedelta(minutes=1), limit=50)
    return [mail["subject"] for mail in caller.sandbox.mailbox() if email in mail["to"]]


@pytest.mark.parametrize(
    ("when", "code"),
    [
        (PAST, "slot_not_offered"),
        (FAR, "slot_not_offered"),
        ({"time": "3:07 AM"}, "slot_not_offered"),
        ({"time": "10:00 AM"}, "slot_taken"),  # by Jane's call
    ],
)
@pytest.mark.parametrize("names_consent", [True, False])
def test_time_is_refused_alike_whether_there_is_a_free_call(
    caller: Visitor, when: dict[str, Any], code: str, names_consent: bool
) -> None:
    def refusal(email: str) -> tuple[int, Any]:
        caller.email = email
        named = {"consentId": caller.consent()[1]["consentId"]} if names_consent else {}
        return ask(caller, email, **when, **named)

    known = refusal(KNOWN)

    assert (known, known[1]["code"]) == (refusal(UNKNOWN), code)


@pytest.mark.parametrize(
    ("consent", "code"),
    [
        ({"consentAccepted": False}, "consent_required"),
        ({"consentId": "consent_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, "consent_required"),
        ({"ageBand": "under_18"}, "guardian_consent_required"),
    ],
)
def test_consent_is_asked_for_alike_whether_there_is_a_free_call(
    caller: Visitor, consent: dict[str, Any], code: str
) -> None:
    known = ask(caller, KNOWN, **consent)

    assert (known, known[1]["code"]) == (ask(caller, UNKNOWN, **consent), code)


def test_who_proves_nothing_learns_of_no_call_without_a_trace(caller: Visitor, now: datetime) -> None:
    status, answer = caller.post("/api/bookings", caller.wish | {"customer": {"name": "X", "email": KNOWN}})
    caller.starts_at = next_slot(14)
    booked, call = caller.post("/api/bookings", caller.wish | {"customer": {"name": "X", "email": UNKNOWN}})

    assert (status, [answer[name] for name in ("success", "status", "confirmationUrl", "manageUrl")]) == (
        202,
        [True, "pending", None, None],
    )
    assert (booked, call["confirmationUrl"] is not None) == (201, True)
    assert mails_to(caller, KNOWN, now) == mails_to(caller, UNKNOWN, now) == ["Your appointment is confirmed"]
    assert sorted(Booking.objects.values_list("state", flat=True)) == ["CONFIRMED", "CONFIRMED"]


def test_hold_is_the_same_whether_there_is_a_free_call(caller: Visitor) -> None:
    known = ask(caller, KNOWN, path="/api/bookings/hold")
    caller.starts_at = next_slot(14)

    assert (known, known[0]) == (ask(caller, UNKNOWN, path="/api/bookings/hold"), 201)


def test_who_goes_on_with_somebody_elses_email_takes_no_hour_and_has_the_owner_written_to(
    caller: Visitor, now: datetime
) -> None:
    caller.extra["consentId"] = caller.consent()[1]["consentId"]
    caller.hold(None)

    answers = [caller.book() for _ in range(2)]

    assert [(status, answer["code"]) for status, answer in answers] == [(409, "free_call_already_booked")] * 2
    assert mails_to(caller, KNOWN, now) == ["Your appointment is confirmed"]
    assert AuditEvent.objects.filter(action="booking.asked_again").count() == 1
    assert Booking.objects.occupying().count() == 1


def test_owner_is_written_to_once_an_hour_at_most(caller: Visitor, now: datetime) -> None:
    for _ in range(3):
        ask(caller, KNOWN)

    assert mails_to(caller, KNOWN, now) == ["Your appointment is confirmed"]


def test_call_repeated_from_where_it_came_is_the_same_and_from_elsewhere_a_taken_time(
    caller: Visitor, api: APIClient, now: datetime
) -> None:
    caller.email = UNKNOWN
    first, again = caller.book(), caller.book()
    elsewhere = api.post("/api/bookings", caller.wish, REMOTE_ADDR="198.51.100.7")
    Booking.objects.update(created_at=now - timedelta(minutes=11))
    later = caller.book()

    assert (first[0], again[0], again[1]["bookingId"]) == (201, 201, first[1]["bookingId"])
    assert (again[1]["confirmationUrl"], again[1]["manageUrl"]) == (None, None)
    assert (elsewhere.status_code, elsewhere.json()["code"], later[0]) == (409, "slot_taken", 409)


def test_call_that_is_repeated_by_who_names_its_consent_is_the_same_though_it_is_over(
    caller: Visitor, now: datetime
) -> None:
    caller.email = UNKNOWN
    caller.extra["consentId"] = caller.consent()[1]["consentId"]
    first = caller.book()
    Booking.objects.update(created_at=now - timedelta(days=1))

    again = caller.book()

    assert (first[0], again[0], again[1]["bookingId"]) == (201, 201, first[1]["bookingId"])
    assert again[1]["manageUrl"] is not None


def test_hold_in_somebodys_name_locks_them_out_of_nothing_and_is_never_taken_for_theirs(
    caller: Visitor, now: datetime
) -> None:
    caller.email = UNKNOWN
    _, planted = caller.hold(None)  # by somebody who knows the email
    caller.starts_at = next_slot(14)

    status, booked = caller.book()

    assert (status, booked["bookingId"] != planted["bookingId"]) == (201, True)
    assert mails_to(caller, UNKNOWN, now) == ["Your appointment is confirmed"]
    own = Booking.objects.get(state=BookingState.CONFIRMED, starts_at=next_slot(14))
    assert own.created_at is not None


def test_consent_planted_under_somebodys_email_opens_nothing_that_was_booked_without_naming_it(
    caller: Visitor, api: APIClient
) -> None:
    caller.email = UNKNOWN
    planted = caller.consent()[1]["consentId"]
    call, _ = caller.book()
    caller.session_type, caller.session_format, caller.starts_at = "individual", "video", next_slot(15)
    planted_too = caller.consent()[1]["consentId"]
    hold, _ = caller.hold()

    again = api.post(
        "/api/bookings/hold",
        caller.wish | {"payWith": "razorpay", "consentId": planted_too},
        REMOTE_ADDR="198.51.100.7",
    )
    caller.session_type, caller.session_format, caller.starts_at = "free", None, next_slot(12)
    booked = api.post("/api/bookings", caller.wish | {"consentId": planted}, REMOTE_ADDR="198.51.100.7")

    assert (call, hold) == (201, 201)
    assert [(answer.status_code, answer.json()["code"]) for answer in (again, booked)] == [(409, "slot_taken")] * 2


def test_free_call_is_booked_while_the_calendar_is_silent(caller: Visitor) -> None:
    caller.sandbox.fault("calcom", "bare_500", "slots.*", times=None)

    assert ask(caller, UNKNOWN)[0] == 201
