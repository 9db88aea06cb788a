from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bookings.models import Booking
from bookings.practice_time import clock_text, local
from bookings.tests.builders import next_slot
from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.outbox.models import OutboxMessage

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from bookings.tests.visitor import Visitor
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

NEW = next_slot(15, days=5)
ASKED = {"date": local(NEW).date().isoformat(), "time": clock_text(NEW)}


@pytest.fixture
def booked(visitor: Visitor) -> dict[str, Any]:
    """Jane's session in the calendar; the answer of her hold, with the token."""
    _, hold = visitor.hold()
    visitor.book(visitor.pay(hold["payment"]["orderId"])["razorpay_payment_id"])
    return hold


def _post(api: APIClient, hold: dict[str, Any], body: dict[str, Any] = ASKED) -> tuple[int, dict[str, Any]]:
    answer = api.post(
        f"/api/bookings/{hold['bookingId']}/reschedule",
        body,
        format="json",
        headers={"Authorization": f"Bearer {hold['token']}"},
    )
    return answer.status_code, answer.json()


def _look(api: APIClient, hold: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {hold['token']}"}
    answer: dict[str, Any] = api.get(f"/api/bookings/{hold['bookingId']}", headers=headers).json()
    return answer


def test_status_says_how_often_and_until_when_it_can_be_moved(booked: dict[str, Any], api: APIClient) -> None:
    status = _look(api, booked)

    until = local(next_slot() - timedelta(hours=24)).isoformat()
    assert (status["reschedule"], status["movingTo"]) == ({"until": until, "movesLeft": 2}, None)


def test_reschedule_moves_and_says_so(booked: dict[str, Any], api: APIClient, sandbox: SandboxProcess) -> None:
    status, answer = _post(api, booked)

    assert (status, answer["status"], answer["startsAt"]) == (200, "confirmed", local(NEW).isoformat())
    assert (answer["date"], answer["time"], answer["reschedule"]["movesLeft"]) == (ASKED["date"], ASKED["time"], 1)
    uid = Booking.objects.get().calcom_booking_id
    assert answer["confirmationUrl"].endswith(f"/booking/{uid}")
    assert OutboxMessage.objects.filter(topic="calendar.move", state="PENDING").count() == 0


def test_reschedule_twice_is_once(booked: dict[str, Any], api: APIClient, sandbox: SandboxProcess) -> None:
    answers = [_post(api, booked) for _ in range(2)]

    assert [status for status, _ in answers] == [200, 200]
    assert (Booking.objects.get().moves, sandbox.calls("calcom.bookings.reschedule")) == (1, 1)


def test_reschedule_that_the_calendar_refuses_changes_nothing(
    booked: dict[str, Any], api: APIClient, sandbox: SandboxProcess
) -> None:
    before = _look(api, booked)
    sandbox.fault("calcom", "slot_taken", "bookings.reschedule")

    status, answer = _post(api, booked)

    assert (status, answer["code"]) == (409, "slot_taken")
    assert answer["error"] == (
        "This time has just been taken. Your appointment stays where it is; please choose another one."
    )
    assert _look(api, booked) | {"manageUrl": "", "calendarUrl": ""} == before | {"manageUrl": "", "calendarUrl": ""}


def test_reschedule_without_an_answer_is_under_way(
    booked: dict[str, Any], api: APIClient, sandbox: SandboxProcess
) -> None:
    sandbox.fault("calcom", "drop", "bookings.reschedule")

    status, answer = _post(api, booked)

    assert (status, answer["startsAt"]) == (202, local(next_slot()).isoformat())
    assert (answer["movingTo"], answer["reschedule"]) == (local(NEW).isoformat(), None)
    other = {"date": ASKED["date"], "time": "11:00 AM"}
    assert _post(api, booked, other)[1]["code"] == "move_under_way"


def test_reschedule_stops_waiting_for_a_slow_calendar(
    booked: dict[str, Any], api: APIClient, sandbox: SandboxProcess, settings: Settings
) -> None:
    settings.CALENDAR_REQUEST_DEADLINE = 0.2
    sandbox.fault("calcom", "delay", "bookings.reschedule", seconds=0.6)

    assert _post(api, booked)[0] == 202


@pytest.mark.parametrize(
    ("change", "body", "status", "code"),
    [
        ({"moves_allowed": 0}, ASKED, 409, "not_movable"),
        ({"move_notice_hours": 24 * 30}, ASKED, 409, "not_movable"),
        ({}, ASKED | {"time": "3:00 AM"}, 400, "slot_not_offered"),
        ({}, ASKED | {"date": "2020-01-01"}, 400, "slot_not_offered"),
        ({}, ASKED | {"date": "tomorrow"}, 400, "invalid_input"),
        ({}, {}, 400, "invalid_input"),
    ],
)
def test_reschedule_is_refused(
    change: dict[str, int], body: dict[str, Any], status: int, code: str, booked: dict[str, Any], api: APIClient
) -> None:
    SessionOffer.objects.update(**change)

    answered, answer = _post(api, booked, body)

    assert (answered, answer["code"], Booking.objects.count()) == (status, code, 1)


def test_reschedule_needs_the_bookings_own_link(booked: dict[str, Any], api: APIClient) -> None:
    revoked = Booking.objects.get()
    no_token = api.post(f"/api/bookings/{booked['bookingId']}/reschedule", ASKED, format="json")
    forged, _ = _post(api, booked | {"token": booked["token"][:-2] + "xx"})
    revoked.link_version += 1
    revoked.save()
    old, _ = _post(api, booked)

    assert (no_token.status_code, forged, old, Booking.objects.get().moves) == (401, 401, 401, 0)
