"""`GET /v2/slots` and reservations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from mindfulqalb.sandbox.tests.clients import (
    CHAT,
    COUPLES_VIDEO,
    FREE,
    HOST,
    SLOTS,
    VIDEO,
    book,
    calcom,
    iso,
    local_moment,
    slot_times,
    slots,
)

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


def reserve(sandbox: SandboxProcess, hour: int = 10, headers: dict[str, str] | None = None, **body: Any) -> Any:
    body = {"eventTypeId": VIDEO, "slotStart": iso(local_moment(3, hour)), **body}
    return calcom(sandbox, "POST", "slots/reservations", headers={**SLOTS, **(headers or {})}, json=body)


def test_slots_are_hourly_within_the_working_day(sandbox: SandboxProcess) -> None:
    assert slot_times(sandbox, 3) == [f"{hour:02d}:00" for hour in range(9, 18)]


def test_slots_end_when_the_session_would_outlast_the_day(sandbox: SandboxProcess) -> None:
    assert slot_times(sandbox, 3, eventTypeId=COUPLES_VIDEO)[-1] == "16:00"


@pytest.mark.parametrize("event_type", [CHAT, FREE])
def test_slots_of_short_sessions_are_half_hourly(sandbox: SandboxProcess, event_type: int) -> None:
    assert slot_times(sandbox, 3, eventTypeId=event_type)[:3] == ["09:00", "09:30", "10:00"]


def test_slots_are_keyed_by_day_in_the_zone_asked_for(sandbox: SandboxProcess) -> None:
    nine = local_moment(3, 9)

    found = slots(sandbox, nine, local_moment(3, 9, 30), timeZone="Pacific/Honolulu")

    there = nine.astimezone(ZoneInfo("Pacific/Honolulu"))
    assert found == {there.date().isoformat(): [{"start": there.isoformat(timespec="milliseconds")}]}


def test_slots_without_time_zone_are_in_utc(sandbox: SandboxProcess) -> None:
    query = {"eventTypeId": VIDEO, "start": iso(local_moment(3, 9)), "end": iso(local_moment(3, 9, 30))}

    found = calcom(sandbox, "GET", "slots", headers=SLOTS, params=query).json()["data"]

    assert found == {iso(local_moment(3, 9))[:10]: [{"start": iso(local_moment(3, 9)).replace("Z", ".000Z")}]}


def test_slots_as_range_say_when_they_end(sandbox: SandboxProcess) -> None:
    found = slots(sandbox, local_moment(3, 9), local_moment(3, 9, 30), format="range")

    times = [(slot["start"][11:], slot["end"][11:]) for day in found.values() for slot in day]
    assert times == [("09:00:00.000+05:30", "10:00:00.000+05:30")]


def test_slots_that_end_at_midnight_utc_are_widened_to_that_whole_day(sandbox: SandboxProcess) -> None:
    day = iso(local_moment(3, 12))[:10]

    found = slots(sandbox, local_moment(3, 12), local_moment(3, 12), start=f"{day}T00:00:00Z", end=f"{day}T00:00:00Z")

    assert [slot["start"][11:16] for slot in found[day]] == [f"{hour:02d}:00" for hour in range(9, 18)]


def test_slots_leave_out_what_overlaps_a_booking_of_any_event_type(sandbox: SandboxProcess) -> None:
    book(sandbox, local_moment(3, 10, 30), eventTypeId=COUPLES_VIDEO)

    assert slot_times(sandbox, 3) == ["09:00", *(f"{hour:02d}:00" for hour in range(12, 18))]


def test_slots_count_a_booking_that_is_to_be_moved_as_free(sandbox: SandboxProcess) -> None:
    booking = book(sandbox, local_moment(3, 10))

    assert "10:00" not in slot_times(sandbox, 3)
    assert "10:00" in slot_times(sandbox, 3, bookingUidToReschedule=booking["uid"])


def test_slots_of_a_day_off_are_absent(sandbox: SandboxProcess) -> None:
    sandbox.turn(availableWeekdays=[])

    assert slots(sandbox, local_moment(3, 0), local_moment(4, 23)) == {}


@pytest.mark.parametrize(
    ("params", "status", "message"),
    [
        ({"colour": "red"}, 400, "colour property is wrong,property colour should not exist "),
        ({"start": "soon"}, 400, "start property is wrong,start must be a valid ISO 8601 date string "),
        ({"timeZone": "Mars/Base"}, 400, "timeZone property is wrong,timeZone must be a valid IANA time-zone "),
        ({"eventTypeId": "999"}, 404, "Event Type not found"),
        ({"end": "2020-01-01"}, 400, "Invalid time range given - check the 'start' and 'end' query parameters."),
    ],
)
def test_slots_refuse_a_bad_query(sandbox: SandboxProcess, params: dict[str, str], status: int, message: str) -> None:
    query = {"eventTypeId": VIDEO, "start": iso(local_moment(3, 9)), "end": iso(local_moment(3, 12)), **params}

    response = calcom(sandbox, "GET", "slots", headers=SLOTS, params=query)

    assert (response.status_code, response.json()["error"]["message"]) == (status, message)


def test_slots_by_slug_and_username(sandbox: SandboxProcess) -> None:
    query = {"eventTypeSlug": "individual-video", "username": "mindfulqalb", "eventTypeId": None}
    stranger = {**query, "username": "somebody", "start": "2030-01-01", "end": "2030-01-01"}

    assert len(slot_times(sandbox, 3, **query)) == 9
    response = calcom(sandbox, "GET", "slots", headers=SLOTS, params=stranger)
    assert (response.status_code, response.json()["error"]["message"]) == (
        404,
        "User with username somebody not found",
    )


def test_slots_without_version_header_do_not_exist(sandbox: SandboxProcess) -> None:
    response = calcom(sandbox, "GET", "slots", params={"eventTypeId": VIDEO})

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "NotFoundException"


def test_reservation_hides_the_slot_until_it_is_deleted(sandbox: SandboxProcess) -> None:
    uid = reserve(sandbox).json()["data"]["reservationUid"]
    hidden = slot_times(sandbox, 3)

    deleted = calcom(sandbox, "DELETE", f"slots/reservations/{uid}", headers=SLOTS)

    assert "10:00" not in hidden
    assert (deleted.status_code, deleted.json()) == (200, {"status": "success"})
    assert "10:00" in slot_times(sandbox, 3)


def test_reservation_runs_out(sandbox: SandboxProcess) -> None:
    reserve(sandbox)

    sandbox.advance(5 * 60 + 1)

    assert "10:00" in slot_times(sandbox, 3)


def test_reservation_answer_names_the_slot(sandbox: SandboxProcess) -> None:
    response = reserve(sandbox, headers=HOST, reservationDuration=10)

    data = response.json()["data"]
    assert response.status_code == 201
    assert {name: data[name] for name in ("eventTypeId", "slotStart", "slotDuration", "reservationDuration")} == {
        "eventTypeId": VIDEO,
        "slotStart": iso(local_moment(3, 10)).replace("Z", ".000Z"),
        "slotDuration": 60,
        "reservationDuration": 10,
    }
    shown = calcom(sandbox, "GET", f"slots/reservations/{data['reservationUid']}", headers=SLOTS).json()["data"]
    assert shown == {name: value for name, value in data.items() if name != "reservationDuration"}


def test_reservation_unknown_is_null(sandbox: SandboxProcess) -> None:
    response = calcom(sandbox, "GET", "slots/reservations/nobody", headers=SLOTS)

    assert (response.status_code, response.json()) == (200, {"status": "success", "data": None})


def test_reservation_of_a_reserved_slot_is_refused_even_to_its_owner(sandbox: SandboxProcess) -> None:
    uid = reserve(sandbox).json()["data"]["reservationUid"]
    body = {"eventTypeId": VIDEO, "slotStart": iso(local_moment(3, 10))}

    again = reserve(sandbox)
    extended = calcom(sandbox, "PATCH", f"slots/reservations/{uid}", headers=SLOTS, json=body)

    sentence = "This time slot is already reserved by another user. Please choose a different time."
    assert [(r.status_code, r.json()["error"]["message"]) for r in (again, extended)] == [(422, sentence)] * 2


def test_reservation_of_a_booked_slot_is_refused(sandbox: SandboxProcess) -> None:
    book(sandbox, local_moment(3, 10))

    response = reserve(sandbox)

    assert response.status_code == 422
    assert response.json()["error"]["message"] == "Can't reserve a slot if the event is already booked."


@pytest.mark.parametrize(
    ("body", "status"), [({"reservationDuration": 10}, 401), ({"slotDuration": 60}, 400), ({"eventTypeId": 999}, 404)]
)
def test_reservation_refuses(sandbox: SandboxProcess, body: dict[str, Any], status: int) -> None:
    assert reserve(sandbox, **body).status_code == status


def test_reservation_does_not_stop_a_booking(sandbox: SandboxProcess) -> None:
    reserve(sandbox)

    assert book(sandbox, local_moment(3, 10))["status"] == "accepted"
