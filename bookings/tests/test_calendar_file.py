from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from icalendar import Calendar

from bookings.calendar_file import calendar_file
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_wish
from bookings.wishes import Customer

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def _event(text: str) -> dict[str, Any]:
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    return dict(event.items())


def test_calendar_file_says_when_and_with_whom_and_nothing_more() -> None:
    booking = make_booking()

    event = _event(calendar_file(booking, now=NOW))

    assert {name: str(value) for name, value in event.items() if not name.startswith("DT")} == {
        "UID": f"{booking.id}@mindfulqalb.com",
        "SEQUENCE": "0",
        "SUMMARY": "Appointment with MindfulQALB",
        "DESCRIPTION": "The link to the session is in your email.",
        "STATUS": "TENTATIVE",
    }
    assert (event["DTSTART"].dt, event["DTEND"].dt, event["DTSTAMP"].dt) == (booking.starts_at, booking.ends_at, NOW)


def test_calendar_file_is_published_as_a_file_of_its_own() -> None:
    calendar = Calendar.from_ical(calendar_file(make_booking(), now=NOW))

    assert (str(calendar["METHOD"]), str(calendar["VERSION"]), str(calendar["PRODID"])) == (
        "PUBLISH",
        "2.0",
        "-//MindfulQALB//booking//EN",
    )


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (BookingState.HELD, "TENTATIVE"),
        (BookingState.PENDING, "TENTATIVE"),
        (BookingState.CONFIRMED, "CONFIRMED"),
        (BookingState.COMPLETED, "CONFIRMED"),
        (BookingState.NO_SHOW, "CONFIRMED"),
        (BookingState.REJECTED, "CANCELLED"),
        (BookingState.EXPIRED, "CANCELLED"),
        (BookingState.CANCELLED, "CANCELLED"),
    ],
)
def test_calendar_file_says_confirmed_only_of_what_is(state: BookingState, status: str) -> None:
    booking = make_booking()
    booking.state = state

    assert str(_event(calendar_file(booking, now=NOW))["STATUS"]) == status


def test_calendar_file_keeps_its_uid_through_the_bookings_life() -> None:
    booking = make_booking()
    first = _event(calendar_file(booking, now=NOW))["UID"]
    booking.state, booking.calcom_booking_id = BookingState.CONFIRMED, "uid1"
    booking.starts_at += timedelta(days=1)
    booking.ends_at += timedelta(days=1)
    booking.save()

    assert _event(calendar_file(booking, now=NOW + timedelta(days=2)))["UID"] == first


def test_calendar_file_names_no_person_no_kind_of_session_and_opens_nothing() -> None:
    customer = Customer(name="Xanthippe Quux", email="xanthippe@example.org", phone="+919812345678")
    booking = make_booking(
        wish=make_wish(session_type="couples", customer=customer),
        state=BookingState.CONFIRMED,
        calcom_booking_id="caluid42",
    )

    text = calendar_file(booking, now=NOW).lower()

    telling = [
        "xanthippe",
        "9812345678",
        "couple",
        "therap",
        "counsel",
        "psych",
        "video",
        "http",
        "/manage",
        "caluid42",
    ]
    assert [word for word in telling if word in text] == []


def test_calendar_file_keeps_to_the_line_rules_of_the_format(settings: Settings) -> None:
    settings.PRACTICE_NAME = "Haus; Hof, Praxis für Gespräche " + "und Stille " * 9
    text = calendar_file(make_booking(), now=NOW)

    lines = text.encode().split(b"\r\n")
    assert (lines[0], lines[-2:], b"\n" in b"".join(lines)) == (b"BEGIN:VCALENDAR", [b"END:VCALENDAR", b""], False)
    assert max(map(len, lines)) <= 75
    assert str(_event(text)["SUMMARY"]) == f"Appointment with {settings.PRACTICE_NAME}"


def test_calendar_file_of_a_name_with_a_line_break_stays_one_event(settings: Settings) -> None:
    settings.PRACTICE_NAME = "Practice\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:forged"

    event = _event(calendar_file(make_booking(), now=NOW))

    assert str(event["STATUS"]) == "TENTATIVE"


def test_calendar_file_of_one_moment_is_always_the_same() -> None:
    booking = make_booking()

    assert calendar_file(booking, now=NOW) == calendar_file(booking, now=NOW)
