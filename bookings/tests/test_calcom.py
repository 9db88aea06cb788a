from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from bookings.calendars.base import (
    AlreadyGone,
    Appointment,
    AppointmentRequest,
    AppointmentState,
    CalendarBusy,
    CalendarFault,
    KeyRefused,
    SlotRefused,
)
from bookings.calendars.calcom import CalcomCalendar
from bookings.calendars.calcom.api import CalcomApi
from bookings.calendars.calcom.budget import CallBudget
from bookings.calendars.calcom.translation import instant_of
from bookings.tests.builders import next_slot
from mindfulqalb.settings.language import LANGUAGES
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
    api = CalcomApi(url=URL, key="cal_x", budget=CallBudget(calls_per_minute=100))
    return CalcomCalendar(api=api, web_url=URL, slots_version="2024-09-04", bookings_version="2024-08-13")


def _book_against(status: int, body: Any, headers: dict[str, str] | None = None) -> ProviderError:
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


def _brief(appointment: Appointment | None) -> tuple[str, datetime, AppointmentState]:
    assert appointment is not None
    return appointment.uid, appointment.starts_at, appointment.state


@pytest.mark.parametrize("locale", [code for code, _ in LANGUAGES])
def test_book_goes_through_in_every_language_of_ours(locale: str, calcom: CalcomCalendar) -> None:
    appointment = calcom.book(_request(locale=locale), timeout=5)

    assert appointment.state == AppointmentState.ACCEPTED


def test_book_writes_our_reference_and_a_lower_case_email(calcom: CalcomCalendar, sandbox: SandboxProcess) -> None:
    appointment = calcom.book(_request(), timeout=5)

    written = sandbox.state()["calcom"]["bookings"][0]
    assert _brief(appointment) == (written["uid"], next_slot(), AppointmentState.ACCEPTED)
    assert written["metadata"] == {"reference": "ref-1"}
    assert [attendee["email"] for attendee in written["attendees"]] == ["jane@example.com"]


def test_book_without_phone_sends_none(calcom: CalcomCalendar) -> None:
    assert calcom.book(_request(phone=None), timeout=5).state == AppointmentState.ACCEPTED


def test_find_sees_what_was_written_under_our_reference(calcom: CalcomCalendar) -> None:
    written = calcom.book(_request(), timeout=5)

    assert calcom.find(_request()) == written


@pytest.mark.parametrize("other", [{"reference": "ref-2"}, {"email": "john@example.com"}, {"event_type": "101"}])
def test_find_does_not_take_anothers_for_ours(other: dict[str, str], calcom: CalcomCalendar) -> None:
    calcom.book(_request(), timeout=5)

    assert calcom.find(_request(**other)) is None


@pytest.mark.parametrize(
    ("change", "state"), [("cancel", AppointmentState.CANCELLED), ("decline", AppointmentState.DECLINED)]
)
def test_find_sees_that_a_host_has_given_it_up(
    change: str, state: AppointmentState, calcom: CalcomCalendar, sandbox: SandboxProcess
) -> None:
    sandbox.turn(requiresConfirmation=[103])
    uid = calcom.book(_request(), timeout=5).uid
    sandbox.change_booking(uid, change)

    assert _brief(calcom.find(_request())) == (uid, next_slot(), state)


def test_find_prefers_the_one_that_stands(calcom: CalcomCalendar, sandbox: SandboxProcess) -> None:
    old = calcom.book(_request(), timeout=5).uid
    sandbox.change_booking(old, "reschedule", start=next_slot(11).isoformat())

    found = calcom.find(_request())

    assert found is not None
    assert (found.uid != old, found.starts_at, found.state) == (True, next_slot(11), AppointmentState.ACCEPTED)


def test_find_takes_no_cancelled_one_without_our_reference_for_ours() -> None:
    item = {"uid": "u1", "status": "cancelled", "start": next_slot().isoformat(), "metadata": {}}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v2/bookings", json={"status": "success", "data": [item]})

        assert _calendar().find(_request()) is None


def test_find_recognizes_ours_by_time_when_the_metadata_is_lost() -> None:
    item = {"uid": "u1", "status": "accepted", "start": next_slot().isoformat(), "metadata": {}}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v2/bookings", json={"status": "success", "data": [item]})

        found = _calendar().find(_request())

    assert found is not None
    assert found.uid == "u1"


# Every way to say that this time cannot be had, in each of the shapes in which an error may come.
NOT_AVAILABLE = "User either already has booking at this time or is not available"
TAKEN: list[tuple[int, Any]] = [
    (400, _nest(NOT_AVAILABLE)),
    (400, _nest("One of the hosts either already has booking at this time or is not available")),
    (400, _nest("The event type can't be booked at the \"start\" time provided. This could be because it's too soon")),
    (400, _nest("Attempting to book a meeting in the past.")),
    (400, _nest("Attendee with this email can't book because the maximum number of active bookings has been reached.")),
    (400, {"status": "error", "error": {"code": "TRPCError", "message": NOT_AVAILABLE}}),
    (400, {"status": "error", "error": NOT_AVAILABLE}),
    (400, {"statusCode": 400, "message": NOT_AVAILABLE, "error": "Bad Request"}),
    (400, _nest("Bad Request Exception") | {"error": {"message": "", "details": {"errors": [NOT_AVAILABLE]}}}),
    (409, {"statusCode": 409, "message": "booking_conflict_error"}),
    (409, _nest("No more seats left at this seated booking.", 409)),
    (409, {"status": "error", "error": {"code": "CONFLICT", "message": "Unique constraint failed"}}),
    (409, "<html><body>Conflict</body></html>"),
]
NOT_BOOKABLE: list[tuple[int, Any]] = [
    (400, _nest("Bad Request Exception")),
    (400, {"status": "error", "error": {"code": "BAD_REQUEST", "message": "responses - {notes}error"}}),
    (400, _nest("Missing required booking field response: notes - it is required")),
    (404, _nest("Event type with id 9 not found.", 404)),
    (410, "Gone"),
    (422, _nest("Can't book this team event type because it has no hosts", 422)),
]
KEY_REFUSED: list[tuple[int, Any]] = [
    (401, _nest("Unauthorized", 401)),
    (401, _nest("checkBookingRequiresAuthentication - user is not authenticated", 401)),
    (403, _nest("checkBookingRequiresAuthentication - user is not authorized", 403)),
]
FAILED: list[tuple[int, Any]] = [
    (500, {"statusCode": 500, "message": "Internal server error"}),
    (500, {"status": "error", "error": {"code": "INTERNAL_SERVER_ERROR", "message": "prisma"}}),
    (500, _nest("fixed_hosts_unavailable_for_booking", 500)),
    (502, "<html><body>Bad Gateway</body></html>"),
    (503, ""),
    (504, "<html>"),
]
UNREADABLE: list[tuple[int, Any]] = [
    (201, "<html>"),
    (201, {"status": "success"}),
    (201, {"status": "success", "data": {"uid": "u"}}),
    (201, {"status": "success", "data": {"uid": "u", "status": "accepted", "start": "noon"}}),
    (201, {"status": "success", "data": {"uid": "u", "status": "accepted", "start": "2026-13-40T00:00:00Z"}}),
    (201, {"status": "success", "data": {"uid": "u", "status": "sleeping", "start": "2026-12-04T04:30:00Z"}}),
    (302, "<html>"),
    (418, "[]"),
]


@pytest.mark.parametrize(("status", "body"), TAKEN)
def test_book_understands_every_way_to_say_taken(status: int, body: Any) -> None:
    assert type(_book_against(status, body)) is SlotRefused


@pytest.mark.parametrize(("status", "body"), NOT_BOOKABLE)
def test_book_leaves_what_no_repetition_mends_to_a_person(status: int, body: Any) -> None:
    error = _book_against(status, body)

    assert (type(error), error.permanent) == (ProviderError, True)


@pytest.mark.parametrize(("status", "body"), KEY_REFUSED)
def test_book_goes_on_with_a_key_that_may_be_mended(status: int, body: Any) -> None:
    error = _book_against(status, body)

    assert (type(error), error.permanent) == (KeyRefused, False)


@pytest.mark.parametrize(("status", "body"), FAILED)
def test_book_takes_a_failure_of_theirs_for_no_answer(status: int, body: Any) -> None:
    error = _book_against(status, body)

    assert (type(error), error.permanent) == (CalendarFault, False)


@pytest.mark.parametrize(("status", "body"), UNREADABLE)
def test_book_takes_what_it_cannot_read_for_no_answer(status: int, body: Any) -> None:
    error = _book_against(status, body)

    assert (type(error), error.permanent) == (ProviderError, False)


@pytest.mark.parametrize("data", [None, [], {"2026-12-04": ["2026-12-04T04:30:00Z"]}, {"2026-12-04": [{"end": ""}]}])
def test_free_slots_takes_what_it_cannot_read_for_no_answer(data: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v2/slots", json={"status": "success", "data": data})
        with pytest.raises(ProviderError):
            _calendar().free_slots(event_type="1", start=next_slot(9), end=next_slot(10))


@pytest.mark.parametrize("data", [None, {}, "no"])
def test_find_takes_what_it_cannot_read_for_no_answer(data: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v2/bookings", json={"status": "success", "data": data})
        with pytest.raises(ProviderError):
            _calendar().find(_request())


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, "Can't cancel booking with uid=u because it has been cancelled already. Please provide another."),
        (400, "This booking has already been cancelled."),
        (400, "Cannot cancel a booking that has already ended"),
        (404, "Booking with uid=u was not found in the database"),
    ],
)
@pytest.mark.parametrize("is_bare", [True, False])
def test_cancel_of_what_is_gone_is_done(status: int, sentence: str, is_bare: bool) -> None:
    body = {"statusCode": status, "message": sentence} if is_bare else _nest(sentence, status)
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/v2/bookings/u/cancel", json=body, status=status)

        _calendar().cancel("u", reason="Cancelled")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, "This event type does not allow cancellations"),
        (400, "Cancellation reason is required"),
        (404, "Cannot POST /v2/bookings/u/cancel"),
    ],
)
def test_cancel_that_was_refused_is_not_done(status: int, sentence: str) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{URL}/v2/bookings/u/cancel", json=_nest(sentence, status), status=status)
        with pytest.raises(ProviderError) as error:
            _calendar().cancel("u", reason="Cancelled")

    assert (type(error.value), error.value.permanent) == (ProviderError, True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-Limit-Default": "120", "X-RateLimit-Reset-Default": "57"}, 57),
        ({"X-RateLimit-Reset-Short": "3", "X-RateLimit-Reset-Long": "41"}, 41),
        ({"x-ratelimit-reset": "12"}, 12),
        ({"Retry-After": "9"}, 9),
        ({"Retry-After": "Fri, 04 Dec 2026 07:28:00 GMT"}, 60),
        ({"X-RateLimit-Reset-Default": "9999999999999"}, 60),
        ({"X-RateLimit-Reset-Default": "1500000000"}, 60),
        ({"X-RateLimit-Reset-Default": "soon"}, 60),
        ({"X-RateLimit-Reset-Default": "0"}, 60),
        ({}, 60),
    ],
)
def test_book_waits_as_long_as_a_429_asks(headers: dict[str, str], seconds: int) -> None:
    error = _book_against(429, _nest("CustomThrottlerGuard - Too many requests.", 429), headers)

    assert (type(error), error.retry_after) == (CalendarBusy, timedelta(seconds=seconds))


def test_book_reads_the_epoch_that_a_429_may_name() -> None:
    epoch = int(datetime.now(UTC).timestamp()) + 40

    error = _book_against(429, "", {"X-RateLimit-Reset-Default": str(epoch)})

    assert error.retry_after is not None
    assert timedelta(seconds=30) < error.retry_after <= timedelta(seconds=40)


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


def test_question_is_asked_again_on_a_connection_that_was_closed(
    calcom: CalcomCalendar, sandbox: SandboxProcess
) -> None:
    sandbox.fault("calcom", "refuse", "slots.list")

    found = calcom.free_slots(event_type="103", start=next_slot(9), end=next_slot(10))

    assert (found, sandbox.calls("calcom.slots.list")) == ([next_slot(9)], 2)


def test_question_that_hangs_is_not_asked_again(
    calcom: CalcomCalendar, sandbox: SandboxProcess, settings: Settings
) -> None:
    settings.VENDOR_TIMEOUT = (1, 0.3)
    sandbox.fault("calcom", "hang", "slots.list", seconds=30, times=None)

    with pytest.raises(ProviderError, match="Timeout"):
        calcom.free_slots(event_type="103", start=next_slot(9), end=next_slot(10))

    assert sandbox.calls("calcom.slots.list") == 1


def test_requests_carry_version_and_key() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v2/slots", json={"status": "success", "data": {}})
        _calendar().free_slots(event_type="1", start=next_slot(9), end=next_slot(10))
        sent: requests.PreparedRequest = mock.calls[0].request

    assert (sent.headers["cal-api-version"], sent.headers["Authorization"]) == ("2024-09-04", "Bearer cal_x")


def _listed(number: int, updated_at: datetime) -> dict[str, Any]:
    stamp = updated_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return {"uid": f"u{number}", "status": "accepted", "start": "2026-12-04T04:30:00.000Z", "updatedAt": stamp}


def test_changed_since_pages_by_time_so_that_what_changes_meanwhile_is_not_left_out() -> None:
    begin = datetime(2026, 12, 1, tzinfo=UTC)
    full = [_listed(number, begin + timedelta(seconds=number)) for number in range(100)]
    last = [_listed(200, begin + timedelta(hours=1))]
    with responses.RequestsMock() as mock:
        for page in (full, last):
            mock.get(f"{URL}/v2/bookings", json={"status": "success", "data": page})

        pages = list(_calendar().changed_since(begin))

        asked = [parse_qs(urlsplit(call.request.url or "").query) for call in mock.calls]
    assert [len(page) for page in pages] == [100, 1]
    assert [(query["afterUpdatedAt"], query["skip"], query["sortUpdatedAt"]) for query in asked] == [
        (["2026-12-01T00:00:00Z"], ["0"], ["asc"]),
        (["2026-12-01T00:01:39Z"], ["0"], ["asc"]),
    ]


def test_changed_since_counts_within_one_second_and_leaves_out_what_is_older() -> None:
    begin = datetime(2026, 12, 1, tzinfo=UTC)
    same = [_listed(number, begin) for number in range(100)]
    older = [_listed(200, begin - timedelta(hours=1)), {"uid": "u201", "status": "unheard of", "start": "x"}]
    with responses.RequestsMock() as mock:
        for page in (same, older):
            mock.get(f"{URL}/v2/bookings", json={"status": "success", "data": page})

        pages = list(_calendar().changed_since(begin))

        asked = [parse_qs(urlsplit(call.request.url or "").query)["skip"] for call in mock.calls]
    assert ([len(page) for page in pages], asked) == ([100, 0], [["0"], ["100"]])


def test_starting_between_stops_behind_the_end() -> None:
    begin = datetime(2026, 12, 4, tzinfo=UTC)
    inside = [_listed(number, begin) for number in range(99)]
    beyond = _listed(99, begin) | {"start": "2026-12-05T00:00:00.000Z"}
    with responses.RequestsMock() as mock:
        mock.get(f"{URL}/v2/bookings", json={"status": "success", "data": [*inside, beyond]})

        (page,) = list(_calendar().starting_between(begin, begin + timedelta(days=1)))

    assert [item.uid for item in page] == [item["uid"] for item in inside]


def test_move_gives_a_new_uid_once(calcom: CalcomCalendar) -> None:
    old = calcom.book(_request(), timeout=5)
    new = calcom.move(old.uid, starts_at=next_slot(15), reason="Moved", timeout=5)

    with pytest.raises(AlreadyGone):
        calcom.move(old.uid, starts_at=next_slot(16), reason="Moved", timeout=5)

    known = calcom.appointment(old.uid)
    assert known is not None
    assert (known.moved_to, new.moved_from, new.starts_at) == (new.uid, old.uid, next_slot(15))
    assert calcom.appointment("nowhere") is None


@pytest.mark.parametrize("text", ["soon", "2026-12-04T10:00:00", "0001-01-01T00:00:00+14:00", None])
def test_time_that_cannot_be_read_is_the_vendors_error(text: str) -> None:
    with pytest.raises(ProviderError):
        instant_of(text)
