from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import responses

from bookings.calendars.base import AppointmentRequest, SlotRefused
from bookings.calendars.calcom import CalcomCalendar
from bookings.tests.builders import next_slot
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    import requests
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

URL = "https://cal.test"


def _request(**overrides: Any) -> AppointmentRequest:
    values: dict[str, Any] = {
        "reference": "ref-1",
        "event_type": "103",
        "starts_at": next_slot(),
        "name": "Jane Doe",
        "email": "Jane@Example.com",
        "phone": "+919876543210",
        "time_zone": "Asia/Kolkata",
        "locale": "en",
        "asked_since": datetime.now(UTC),
    }
    return AppointmentRequest(**(values | overrides))


def _calendar() -> CalcomCalendar:
    return CalcomCalendar(
        api_url=URL, web_url=URL, api_key="cal_x", slots_version="2024-09-04", bookings_version="2024-08-13"
    )


def _book_against(status: int, body: Any, headers: dict[str, str] | None = None) -> Exception:
    """Book while Cal.com gives an answer that the sandbox has no switch for, and return what is raised."""
    text = body if isinstance(body, str) else json.dumps(body)
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/v2/bookings", body=text, status=status, headers=headers or {})
        with pytest.raises(ProviderError) as error:
            _calendar().book(_request(), timeout=5)
    return error.value


def _nest(message: str, status: int = 400) -> dict[str, Any]:
    details = {"message": message, "error": "Bad Request", "statusCode": status}
    return {"status": "error", "error": {"code": "BadRequestException", "message": message, "details": details}}


@pytest.fixture
def calcom(sandbox: SandboxProcess, settings: Settings) -> CalcomCalendar:
    return CalcomCalendar.from_settings()


def test_free_slots_are_the_calendars_in_utc_and_in_order(calcom: CalcomCalendar) -> None:
    start, end = next_slot(9), next_slot(12)

    found = calcom.free_slots(event_type="103", start=start, end=end)

    assert found == [next_slot(9), next_slot(10), next_slot(11)]
    assert {instant.tzinfo for instant in found} == {UTC}


def test_free_slots_exclude_the_end(calcom: CalcomCalendar) -> None:
    assert calcom.free_slots(event_type="103", start=next_slot(9), end=next_slot(10)) == [next_slot(9)]


def test_free_slots_up_to_midnight_utc_are_not_widened_to_the_next_day(calcom: CalcomCalendar) -> None:
    """Cal.com reads an end at midnight as the end of that day."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=4)

    found = calcom.free_slots(event_type="103", start=midnight - timedelta(days=1), end=midnight)

    assert [instant for instant in found if instant >= midnight] == []
    assert found != []


def test_book_writes_our_reference_and_a_lower_case_email(calcom: CalcomCalendar, sandbox: SandboxProcess) -> None:
    appointment = calcom.book(_request(), timeout=5)

    written = sandbox.state()["calcom"]["bookings"][0]
    assert (appointment.uid, appointment.starts_at, appointment.is_accepted) == (written["uid"], next_slot(), True)
    assert written["metadata"] == {"reference": "ref-1"}
    assert [attendee["email"] for attendee in written["attendees"]] == ["jane@example.com"]


def test_book_without_phone_sends_none(calcom: CalcomCalendar) -> None:
    assert calcom.book(_request(phone=None), timeout=5).is_accepted is True


def test_find_sees_what_was_written_under_our_reference(calcom: CalcomCalendar) -> None:
    written = calcom.book(_request(), timeout=5)

    assert calcom.find(_request()) == written


@pytest.mark.parametrize("other", [{"reference": "ref-2"}, {"email": "john@example.com"}, {"event_type": "101"}])
def test_find_does_not_take_anothers_for_ours(other: dict[str, str], calcom: CalcomCalendar) -> None:
    calcom.book(_request(), timeout=5)

    assert calcom.find(_request(**other)) is None


def test_find_ignores_a_cancelled_one(calcom: CalcomCalendar, sandbox: SandboxProcess) -> None:
    sandbox.change_booking(calcom.book(_request(), timeout=5).uid, "cancel")

    assert calcom.find(_request()) is None


def test_find_recognizes_ours_by_time_when_the_metadata_is_lost() -> None:
    item = {"uid": "u1", "status": "accepted", "start": next_slot().isoformat(), "metadata": {}}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v2/bookings", json={"status": "success", "data": [item]})

        found = _calendar().find(_request())

    assert found is not None
    assert found.uid == "u1"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, _nest("User either already has booking at this time or is not available")),
        (400, _nest("One of the hosts either already has booking at this time or is not available")),
        (409, {"statusCode": 409, "message": "booking_conflict_error"}),
        (409, _nest("No more seats left at this seated booking.", 409)),
        (400, _nest('The event type can\'t be booked at the "start" time provided. Minimum notice.')),
        (400, _nest("Attempting to book a meeting in the past.")),
        (400, _nest("The maximum number of active bookings has been reached.")),
        (400, {"status": "error", "error": "User either already has booking at this time or is not available"}),
    ],
)
def test_book_understands_every_way_to_say_taken(status: int, body: Any) -> None:
    assert type(_book_against(status, body)) is SlotRefused


@pytest.mark.parametrize(
    ("status", "body", "permanent"),
    [
        (400, _nest("Bad Request Exception"), True),
        (400, {"status": "error", "error": {"code": "BAD_REQUEST", "message": "responses - {notes}error"}}, True),
        (404, _nest("Event type with id 9 not found.", 404), True),
        (401, _nest("Unauthorized", 401), True),
        (403, _nest("checkBookingRequiresAuthentication", 403), True),
        (410, "Gone", True),
        (422, _nest("Can't book this team event type because it has no hosts", 422), True),
        (500, {"statusCode": 500, "message": "Internal server error"}, False),
        (500, {"status": "error", "error": {"code": "INTERNAL_SERVER_ERROR", "message": "prisma"}}, False),
        (502, "<html><body>Bad Gateway</body></html>", False),
        (201, "<html>", False),
        (201, {"status": "success"}, False),
        (201, {"status": "success", "data": {"uid": "u"}}, False),
        (201, {"status": "success", "data": {"uid": "u", "status": "accepted", "start": "noon"}}, False),
    ],
)
def test_book_turns_every_other_answer_into_a_provider_error(status: int, body: Any, permanent: bool) -> None:
    error = _book_against(status, body)

    assert (type(error), error.permanent) == (ProviderError, permanent)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Reset-Default": "57"}, 57),
        ({"X-RateLimit-Reset-Short": "3", "X-RateLimit-Reset-Long": "41"}, 41),
        ({"Retry-After": "9"}, 9),
        ({"X-RateLimit-Reset-Default": "1799999999"}, 60),
        ({"X-RateLimit-Reset-Default": "soon"}, 60),
        ({}, 60),
    ],
)
def test_book_waits_as_long_as_a_429_asks(headers: dict[str, str], seconds: int) -> None:
    error = _book_against(429, _nest("CustomThrottlerGuard - Too many requests.", 429), headers)

    assert (error.permanent, error.retry_after) == (False, timedelta(seconds=seconds))  # type: ignore[attr-defined]


def test_book_keeps_what_the_client_typed_out_of_its_error() -> None:
    error = _book_against(400, _nest("attendee.email: jane@example.com is not valid"))

    assert "jane" not in str(error)


@pytest.mark.parametrize("kind", ["refuse", "drop", "html_502", "bare_500", "rate_limited"])
def test_book_survives_every_trouble_on_the_way(kind: str, calcom: CalcomCalendar, sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", kind, "bookings.create")

    with pytest.raises(ProviderError) as error:
        calcom.book(_request(), timeout=5)

    assert error.value.permanent is False


def test_book_does_not_wait_for_ever(calcom: CalcomCalendar, sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "hang", "bookings.create", seconds=30)

    with pytest.raises(ProviderError, match="Timeout"):
        calcom.book(_request(), timeout=0.3)


def test_book_is_never_repeated_by_itself(calcom: CalcomCalendar, sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "html_502", "bookings.create", times=None)

    with pytest.raises(ProviderError):
        calcom.book(_request(), timeout=5)

    assert sandbox.calls("calcom.bookings.create") == 1


def test_requests_carry_version_and_key() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v2/slots", json={"status": "success", "data": {}})
        _calendar().free_slots(event_type="1", start=next_slot(9), end=next_slot(10))
        sent: requests.PreparedRequest = mock.calls[0].request

    assert (sent.headers["cal-api-version"], sent.headers["Authorization"]) == ("2024-09-04", "Bearer cal_x")
