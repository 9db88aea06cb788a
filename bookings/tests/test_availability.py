from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bookings.availability import FreeDay, Slot, availability_of, require_offered
from bookings.calendars import calendar
from bookings.calendars.base import AppointmentRequest
from bookings.practice_time import local
from bookings.refusals import SlotNotOffered, SlotTaken
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_catalogue, make_offer, make_wish, next_slot
from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.practice_clock import practice_zone

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _day(now: datetime, *, days: int = 3, code: str = "individual-video") -> dict[int, bool]:
    """Map the hours on the list to whether they are free."""
    slots = _slots(local(next_slot(days=days)).date(), now, code=code)
    return {local(slot.starts_at).hour: slot.is_available for slot in slots}


def _slots(day: date, now: datetime, *, code: str = "individual-video") -> list[Slot]:
    found = availability_of(offer=make_offer(code), day=day, month=None, zone=practice_zone(), now=now)
    return found.slots


def _booked(hour: int, **overrides: Any) -> None:
    slot = local(next_slot(hour))
    make_booking(wish=make_wish(day=slot.date(), clock=slot.time()), state=BookingState.PENDING, **overrides)


def _take_in_the_calendar(starts_at: datetime) -> None:
    calendar().book(
        AppointmentRequest(
            reference="another",
            event_type="103",
            starts_at=starts_at,
            name="John Roe",
            email="john@example.com",
            phone=None,
            time_zone="Asia/Kolkata",
            locale="en",
            asked_since=starts_at,
        ),
        timeout=5,
    )


def test_day_lists_the_calendars_hours(sandbox: SandboxProcess, now: datetime) -> None:
    assert _day(now) == dict.fromkeys(range(9, 18), True)


def test_day_shows_our_bookings_as_taken(sandbox: SandboxProcess, now: datetime) -> None:
    _booked(10)

    assert {hour: free for hour, free in _day(now).items() if not free} == {10: False}


def test_day_closes_every_session_that_would_overlap(sandbox: SandboxProcess, now: datetime) -> None:
    """A couples' session takes ninety minutes: at nine it would run into ours at ten."""
    _booked(10)

    slots = _slots(local(next_slot()).date(), now, code="couples-video")

    closed = [local(slot.starts_at).strftime("%H:%M") for slot in slots if not slot.is_available]
    assert closed == ["09:00", "10:00"]


def test_day_closes_what_would_run_into_a_buffer(sandbox: SandboxProcess, now: datetime) -> None:
    """Ours at ten keeps half an hour after it free, and so does the one that is asked for: nine runs into ten."""
    SessionOffer.objects.update(buffer_minutes=30)
    _booked(10, buffer_minutes=30)

    assert [hour for hour, free in _day(now).items() if not free] == [9, 10, 11]


def test_day_shows_a_session_that_the_calendar_names_no_more(sandbox: SandboxProcess, now: datetime) -> None:
    _booked(10)
    _take_in_the_calendar(next_slot(10))

    assert _day(now)[10] is False


def test_day_opens_an_overdue_hold(sandbox: SandboxProcess, now: datetime) -> None:
    slot = local(next_slot(10))
    make_booking(wish=make_wish(day=slot.date(), clock=slot.time()), hold_expires_at=now)

    assert _day(now)[10] is True


def test_day_leaves_out_what_has_passed(sandbox: SandboxProcess, now: datetime) -> None:
    before_noon = next_slot(12) - timedelta(minutes=5)

    slots = _slots(local(before_noon).date(), before_noon)

    assert [local(slot.starts_at).hour for slot in slots] == [12, 13, 14, 15, 16, 17]


def test_day_the_past_is_empty(sandbox: SandboxProcess, now: datetime) -> None:
    assert _day(now, days=-2) == {}


def test_day_beyond_the_horizon_is_empty_and_asks_nobody(sandbox: SandboxProcess, now: datetime) -> None:
    assert (_slots(date(9999, 12, 31), now), _slots(date(1, 1, 1), now)) == ([], [])
    assert sandbox.calls("calcom.slots.list") == 0


def test_month_counts_what_is_free_on_each_of_its_days(sandbox: SandboxProcess, now: datetime) -> None:
    """A day with nothing free is not on the list, and neither is a day of the next month."""
    _booked(10)
    day = local(next_slot()).date()

    found = availability_of(offer=make_offer(), day=None, month=day.replace(day=1), zone=practice_zone(), now=now)

    assert FreeDay(day, 8) in found.days
    assert found.slots == []
    assert {(one.date.year, one.date.month) for one in found.days} == {(day.year, day.month)}
    assert [one.date for one in found.days] == sorted(one.date for one in found.days)


def test_month_leaves_out_a_day_on_which_all_is_sold(sandbox: SandboxProcess, now: datetime) -> None:
    for hour in range(9, 18):
        _booked(hour)
    day = local(next_slot()).date()

    found = availability_of(offer=make_offer(), day=day, month=day.replace(day=1), zone=practice_zone(), now=now)

    assert day not in [one.date for one in found.days]
    assert [slot.is_available for slot in found.slots] == [False] * 9


def test_months_of_the_horizon_cost_one_call(sandbox: SandboxProcess, now: datetime) -> None:
    first = local(now).date().replace(day=1)
    for number in range(4):
        month = (first + timedelta(days=31 * number)).replace(day=1)
        availability_of(offer=make_offer(), day=None, month=month, zone=practice_zone(), now=now)

    assert sandbox.calls("calcom.slots.list") == 1


def test_require_offered_lets_a_listed_time_through(sandbox: SandboxProcess, now: datetime) -> None:
    require_offered(offer=make_offer(), starts_at=next_slot(10), now=now)


def test_require_offered_tells_taken_from_never_offered(sandbox: SandboxProcess, now: datetime) -> None:
    _take_in_the_calendar(next_slot(10))
    _booked(10)

    with pytest.raises(SlotTaken):
        require_offered(offer=make_offer(), starts_at=next_slot(10), now=now)
    with pytest.raises(SlotNotOffered):
        require_offered(offer=make_offer(), starts_at=next_slot(10) + timedelta(minutes=7), now=now)


def test_availability_says_when_it_is_stale(sandbox: SandboxProcess, api: APIClient, settings: Settings) -> None:
    asked = {"date": local(next_slot()).date().isoformat(), "sessionType": "individual"}
    fresh = api.post("/api/availability", asked).json()
    settings.AVAILABILITY_FRESH_SECONDS = settings.AVAILABILITY_USABLE_SECONDS = 0
    sandbox.fault("calcom", "bare_500", "slots.*", times=None)

    stale = api.post("/api/availability", asked).json()

    assert (fresh["stale"], stale["stale"], stale["slots"]) == (False, True, fresh["slots"])


def test_availability_is_unavailable_when_nothing_is_known(sandbox: SandboxProcess, api: APIClient) -> None:
    sandbox.fault("calcom", "bare_500", "slots.*", times=None)

    response = api.post(
        "/api/availability", {"date": local(next_slot()).date().isoformat(), "sessionType": "individual"}
    )

    assert (response.status_code, response.json()["success"]) == (503, False)
    assert int(response.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"sessionType": "individual"}, "date"),
        ({"date": "2026-12-04"}, "sessionType"),
        ({"date": "04/12/2026", "sessionType": "individual"}, "date"),
        ({"date": "2026-12-04", "sessionType": "group"}, "sessionType"),
        ({"date": "2026-12-04", "sessionType": "individual", "format": "fax"}, "format"),
        ({"date": "2026-12-04", "sessionType": ["individual"]}, "sessionType"),
        ({"date": None, "sessionType": "individual"}, "date"),
        ({"month": "2026-13", "sessionType": "individual"}, "month"),
        ({"month": "2026-12-04", "sessionType": "individual"}, "month"),
        ({"month": 202612, "sessionType": "individual"}, "month"),
        ({"date": "2026-12-04", "sessionType": "individual", "timeZone": "Mars/Olympus"}, "timeZone"),
        ({"date": "2026-12-04", "sessionType": "individual", "timeZone": "../../etc/passwd"}, "timeZone"),
        ({"date": "2026-12-04", "sessionType": "individual", "timeZone": ["Asia/Kolkata"]}, "timeZone"),
    ],
)
def test_availability_names_the_field_that_is_wrong(asked: dict[str, Any], field: str, api: APIClient) -> None:
    response = api.post("/api/availability", asked)

    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


def test_availability_of_a_month_answers_for_a_whole_calendar(sandbox: SandboxProcess, api: APIClient) -> None:
    day = local(next_slot()).date()
    asked = {"month": f"{day:%Y-%m}", "sessionType": "individual"}

    by_body, by_query = api.post("/api/availability", asked).json(), api.get("/api/availability", asked).json()

    assert by_body == by_query
    assert (by_body["month"], by_body["date"], by_body["slots"]) == (f"{day:%Y-%m}", None, [])
    assert {"date": day.isoformat(), "free": 9} in by_body["days"]


def test_availability_of_a_day_says_nothing_of_months(sandbox: SandboxProcess, api: APIClient) -> None:
    answer = api.get("/api/availability", {"date": local(next_slot()).date().isoformat(), "sessionType": "free"}).json()

    assert sorted(answer) == ["clientTimeZone", "date", "slots", "stale", "timeZone"]


def test_availability_shows_each_slot_on_both_clocks(sandbox: SandboxProcess, api: APIClient) -> None:
    """Ten in the morning in India is half past six in the evening in Kiritimati: 8 and a half hours ahead."""
    day = local(next_slot()).date()
    asked = {"date": day.isoformat(), "sessionType": "individual", "timeZone": "Pacific/Kiritimati"}

    answer = api.post("/api/availability", asked).json()

    assert (answer["timeZone"], answer["clientTimeZone"]) == ("Asia/Kolkata", "Pacific/Kiritimati")
    assert {slot["clientDate"] for slot in answer["slots"]} == {day.isoformat()}
    ten = next(slot for slot in answer["slots"] if slot["time"] == "10:00 AM" and slot["date"] == day.isoformat())
    assert ten == {
        "time": "10:00 AM",
        "available": True,
        "start": next_slot().astimezone(practice_zone()).isoformat(),
        "date": day.isoformat(),
        "clientTime": "6:30 PM",
        "clientDate": day.isoformat(),
    }
