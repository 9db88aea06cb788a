"""`POST /v2/bookings` and reading bookings."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from mindfulqalb.sandbox.tests.clients import (
    BOOKINGS,
    COUPLES_VIDEO,
    FREE,
    HOST,
    VIDEO,
    book,
    booking_body,
    calcom,
    iso,
    local_moment,
)

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

TAKEN = "User either already has booking at this time or is not available"


def refusal(sandbox: SandboxProcess, **overrides: Any) -> tuple[int, str]:
    body = booking_body(local_moment(3, 10), **overrides)
    response = calcom(sandbox, "POST", "bookings", headers=BOOKINGS, json=body)
    return response.status_code, response.json()["error"]["message"]


def listed(sandbox: SandboxProcess, **params: Any) -> list[str]:
    response = calcom(sandbox, "GET", "bookings", headers={**BOOKINGS, **HOST}, params=params)
    assert response.status_code == 200, response.text
    return [booking["start"][11:16] for booking in response.json()["data"]]


def test_booking_answers_what_was_booked(sandbox: SandboxProcess) -> None:
    booking = book(sandbox, local_moment(3, 10), metadata={"ref": "abc"}, guests=["friend@example.com"])

    assert len(booking["uid"]) == 22
    expected = {
        "status": "accepted",
        "start": iso(local_moment(3, 10)).replace("Z", ".000Z"),
        "end": iso(local_moment(3, 11)).replace("Z", ".000Z"),
        "duration": 60,
        "eventType": {"id": VIDEO, "slug": "individual-video"},
        "metadata": {"ref": "abc"},
        "guests": ["friend@example.com"],
        "bookingFieldsResponses": {"name": "Asha Rao", "email": "asha@example.com"},
    }
    assert {name: booking[name] for name in expected} == expected


def test_booking_read_again_is_the_same(sandbox: SandboxProcess) -> None:
    booking = book(sandbox, local_moment(3, 10))

    response = calcom(sandbox, "GET", f"bookings/{booking['uid']}", headers=BOOKINGS)

    assert (response.status_code, response.json()) == (200, {"status": "success", "data": booking})


def test_booking_unknown_is_404(sandbox: SandboxProcess) -> None:
    response = calcom(sandbox, "GET", "bookings/nobody", headers=BOOKINGS)

    assert response.status_code == 404
    assert response.json()["error"] == {
        "code": "NotFoundException",
        "message": "Booking with uid=nobody was not found in the database",
        "details": {
            "message": "Booking with uid=nobody was not found in the database",
            "error": "Not Found",
            "statusCode": 404,
        },
    }


@pytest.mark.parametrize(("hour", "event_type"), [(10, VIDEO), (9, COUPLES_VIDEO)])
def test_booking_that_overlaps_another_is_refused(sandbox: SandboxProcess, hour: int, event_type: int) -> None:
    book(sandbox, local_moment(3, 10))

    body = booking_body(local_moment(3, hour), eventTypeId=event_type)
    response = calcom(sandbox, "POST", "bookings", headers=BOOKINGS, json=body)

    assert (response.status_code, response.json()["error"]["message"]) == (400, TAKEN)


def test_booking_beside_another_is_accepted(sandbox: SandboxProcess) -> None:
    book(sandbox, local_moment(3, 10))

    assert book(sandbox, local_moment(3, 11))["status"] == "accepted"


def test_two_clients_want_one_slot_and_one_wins(sandbox: SandboxProcess) -> None:
    body = booking_body(local_moment(3, 10))

    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(calcom, sandbox, "POST", "bookings", headers=BOOKINGS, json=body) for _ in range(8)]
        statuses = sorted(call.result().status_code for call in calls)

    assert statuses == [201] + [400] * 7
    assert len(sandbox.state()["calcom"]["bookings"]) == 1


@pytest.mark.parametrize(("hour", "minute"), [(8, 30), (17, 30)])
def test_booking_outside_the_hours_is_not_available(sandbox: SandboxProcess, hour: int, minute: int) -> None:
    assert refusal(sandbox, start=iso(local_moment(3, hour, minute))) == (400, TAKEN)


def test_booking_too_far_ahead_is_out_of_bounds(sandbox: SandboxProcess) -> None:
    status, message = refusal(sandbox, start=iso(local_moment(90, 10)))

    assert status == 400
    assert message.startswith('The event type can\'t be booked at the "start" time provided.')


def test_booking_in_the_past_is_refused(sandbox: SandboxProcess) -> None:
    assert refusal(sandbox, start=iso(local_moment(-1, 10))) == (400, "Attempting to book a meeting in the past.")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"foo": 1}, "foo property is wrong,property foo should not exist "),
        ({"start": None}, "start property is wrong,start should not be null or undefined "),
        ({"metadata": {"a": None}}, "metadata property is wrong,metadata must have at most 50 keys"),
        ({"metadata": {"a": {"b": "c"}}}, "metadata property is wrong,metadata must have at most 50 keys"),
        ({"metadata": {"a": "x" * 501}}, "metadata property is wrong,metadata must have at most 50 keys"),
        ({"lengthInMinutes": 30}, "Can't specify 'lengthInMinutes'"),
        ({"recurrenceCount": 3}, "Can't specify 'recurrenceCount'"),
        ({"location": {"type": "address"}}, "Booking location with type address"),
        ({"allowConflicts": True}, "allowConflicts property is wrong,property allowConflicts should not exist "),
    ],
)
def test_booking_refuses_a_bad_body(sandbox: SandboxProcess, overrides: dict[str, Any], message: str) -> None:
    status, said = refusal(sandbox, **overrides)

    assert (status, said[: len(message)]) == (400, message)


@pytest.mark.parametrize(
    ("attendee", "problem"),
    [
        ({"name": "A", "timeZone": "Asia/Kolkata"}, "At least one contact method (email or phoneNumber)"),
        ({"name": "A", "timeZone": "Mars/Base", "email": "a@b.co"}, "timeZone must be a valid IANA time-zone"),
        ({"timeZone": "Asia/Kolkata", "email": "a@b.co"}, "name should not be null or undefined"),
        ({"name": "A", "timeZone": "Asia/Kolkata", "phoneNumber": "12"}, "phoneNumber must be a valid phone number"),
        ({"name": "A", "timeZone": "Asia/Kolkata", "email": "a@b.co", "language": "xx"}, "language must be one of"),
        ({"name": "A", "timeZone": "Asia/Kolkata", "email": "a@b.co", "age": 4}, "property age should not exist"),
    ],
)
def test_booking_refuses_a_bad_attendee(sandbox: SandboxProcess, attendee: dict[str, Any], problem: str) -> None:
    status, message = refusal(sandbox, attendee=attendee)

    assert status == 400
    assert problem in message


def test_booking_by_phone_alone(sandbox: SandboxProcess) -> None:
    attendee = {"name": "Asha", "timeZone": "Asia/Kolkata", "phoneNumber": "+919876543210"}

    booking = book(sandbox, local_moment(3, 10), attendee=attendee)

    assert booking["attendees"][0]["phoneNumber"] == "+919876543210"


def test_booking_of_an_unknown_event_type_is_404(sandbox: SandboxProcess) -> None:
    assert refusal(sandbox, eventTypeId=999) == (404, "Event type with id 999 not found.")


def test_newer_version_knows_the_newer_fields(sandbox: SandboxProcess) -> None:
    body = booking_body(local_moment(3, 10), allowConflicts=True)

    response = calcom(sandbox, "POST", "bookings", headers={"cal-api-version": "2026-02-25"}, json=body)

    assert response.status_code == 201


def test_missing_version_is_the_oldest_shape(sandbox: SandboxProcess) -> None:
    booking = book(sandbox, local_moment(3, 10))

    created = calcom(sandbox, "POST", "bookings", json=booking_body(local_moment(3, 12)))
    read = calcom(sandbox, "GET", f"bookings/{booking['uid']}")
    cancelled = calcom(sandbox, "POST", f"bookings/{booking['uid']}/cancel", json={"cancellationReason": "x"})

    assert (created.status_code, created.json()["error"]["message"]) == (400, "Bad Request Exception")
    assert "attendee" in [error["property"] for error in created.json()["error"]["details"]["errors"]]
    assert read.json()["data"]["startTime"] == booking["start"]
    assert cancelled.status_code == 404


def test_confirmation_types_wait_and_answer_the_same_request_again(sandbox: SandboxProcess) -> None:
    sandbox.turn(requiresConfirmation=[FREE])

    first = book(sandbox, local_moment(3, 10), eventTypeId=FREE)
    second = book(sandbox, local_moment(3, 10), eventTypeId=FREE)

    assert (first["status"], second["uid"]) == ("pending", first["uid"])


@pytest.mark.parametrize("path", ["bookings", "me", "event-types/103"])
def test_calls_that_need_the_key_are_401_without_or_with_a_bad_one(sandbox: SandboxProcess, path: str) -> None:
    without = calcom(sandbox, "GET", path, headers=BOOKINGS)
    bad = calcom(sandbox, "GET", path, headers={**BOOKINGS, "Authorization": "Bearer cal_other"})

    assert [(r.status_code, r.json()["error"]["code"]) for r in (without, bad)] == [(401, "UnauthorizedException")] * 2


def test_list_filters(sandbox: SandboxProcess) -> None:
    book(sandbox, local_moment(3, 10))
    other = {"name": "Ben", "email": "ben@example.com", "timeZone": "UTC"}
    ben = book(sandbox, local_moment(4, 12), attendee=other, eventTypeId=FREE)
    ten, noon = iso(local_moment(3, 10))[11:16], iso(local_moment(4, 12))[11:16]

    assert listed(sandbox) == [ten, noon]
    assert listed(sandbox, attendeeEmail="ben@example.com") == [noon]
    assert listed(sandbox, attendeeEmail="Ben@example.com") == []
    assert listed(sandbox, eventTypeId=VIDEO) == [ten]
    assert listed(sandbox, eventTypeIds=f"{VIDEO},{FREE}") == [ten, noon]
    assert listed(sandbox, bookingUid=ben["uid"]) == [noon]
    assert listed(sandbox, afterStart=iso(local_moment(4, 0))) == [noon]
    assert listed(sandbox, beforeEnd=iso(local_moment(4, 0))) == [ten]
    assert listed(sandbox, sortStart="desc") == [noon, ten]
    assert listed(sandbox, status="past,cancelled") == []
    assert listed(sandbox, afterCreatedAt=iso(local_moment(1, 0))) == []


def test_list_shows_cancelled_ones_unless_a_status_is_asked_for(sandbox: SandboxProcess) -> None:
    sandbox.change_booking(book(sandbox, local_moment(3, 10))["uid"], "cancel")
    start = iso(local_moment(3, 10))[11:16]

    assert listed(sandbox) == [start]
    assert listed(sandbox, status="upcoming") == []
    assert listed(sandbox, status="cancelled") == [start]


def test_list_pages(sandbox: SandboxProcess) -> None:
    for hour in (9, 10, 11):
        book(sandbox, local_moment(3, hour))

    params = {"take": 2, "skip": 2}
    response = calcom(sandbox, "GET", "bookings", headers={**BOOKINGS, **HOST}, params=params).json()

    assert len(response["data"]) == 1
    assert response["pagination"] == {
        "totalItems": 3,
        "remainingItems": 0,
        "returnedItems": 1,
        "itemsPerPage": 2,
        "currentPage": 2,
        "totalPages": 2,
        "hasNextPage": False,
        "hasPreviousPage": True,
    }


@pytest.mark.parametrize("params", [{"take": 251}, {"sortStart": "up"}, {"colour": "red"}, {"status": "gone"}])
def test_list_refuses_a_bad_query(sandbox: SandboxProcess, params: dict[str, Any]) -> None:
    response = calcom(sandbox, "GET", "bookings", headers={**BOOKINGS, **HOST}, params=params)

    errors = response.json()["error"]["details"]["errors"]
    assert (response.status_code, [error["property"] for error in errors]) == (400, list(params))


def test_event_type_and_me(sandbox: SandboxProcess) -> None:
    event_type = calcom(sandbox, "GET", "event-types/202", headers={**HOST, "cal-api-version": "2024-06-14"})
    me = calcom(sandbox, "GET", "me", headers=HOST)

    data = event_type.json()["data"]
    assert (data["id"], data["slug"], data["lengthInMinutes"]) == (202, "couples-video", 90)
    assert me.json()["data"]["username"] == "mindfulqalb"


def test_unknown_path_is_a_404_in_the_envelope(sandbox: SandboxProcess) -> None:
    response = calcom(sandbox, "POST", "slots/available")

    assert (response.status_code, response.json()["error"]["message"]) == (404, "Cannot POST /v2/slots/available")


def test_every_answer_carries_rate_limit_headers(sandbox: SandboxProcess) -> None:
    headers = calcom(sandbox, "GET", "me", headers=HOST).headers

    assert headers["X-RateLimit-Limit-Default"] == "120"
    assert int(headers["X-RateLimit-Remaining-Default"]) < 120
    assert 0 < int(headers["X-RateLimit-Reset-Default"]) <= 60


def test_rate_limit_refuses_when_it_is_switched_on(sandbox: SandboxProcess) -> None:
    sandbox.turn(calcomRateLimit=2)

    responses = [calcom(sandbox, "GET", "me", headers=HOST) for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 429]
    assert responses[2].json()["error"] == {
        "code": "ThrottlerException",
        "message": "CustomThrottlerGuard - Too many requests. Please try again later.",
        "details": "CustomThrottlerGuard - Too many requests. Please try again later.",
    }
    assert responses[2].headers["X-RateLimit-Remaining-Default"] == "0"
