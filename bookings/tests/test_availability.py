from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections

from bookings.availability import day_of, require_offered
from bookings.calendars import calendar
from bookings.calendars.base import AppointmentRequest
from bookings.listings import distrust_listings, listing_of
from bookings.practice_time import local
from bookings.refusals import SlotNotOffered, SlotTaken
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_catalogue, make_offer, make_wish, next_slot
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _day(now: datetime, *, days: int = 3, code: str = "individual-video") -> dict[int, bool]:
    """Map the hours on the list to whether they are free."""
    day = day_of(offer=make_offer(code), day=local(next_slot(days=days)).date(), now=now)
    return {local(slot.starts_at).hour: slot.is_available for slot in day.slots}


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


def test_day_of_lists_the_calendars_hours(sandbox: SandboxProcess, now: datetime) -> None:
    assert _day(now) == dict.fromkeys(range(9, 18), True)


def test_day_of_shows_our_bookings_as_taken(sandbox: SandboxProcess, now: datetime) -> None:
    _booked(10)

    assert {hour: free for hour, free in _day(now).items() if not free} == {10: False}


def test_day_of_closes_every_session_that_would_overlap(sandbox: SandboxProcess, now: datetime) -> None:
    """A couples' session takes ninety minutes: at nine it would run into ours at ten."""
    _booked(10)

    day = day_of(offer=make_offer("couples-video"), day=local(next_slot()).date(), now=now)

    closed = [local(slot.starts_at).strftime("%H:%M") for slot in day.slots if not slot.is_available]
    assert closed == ["09:00", "10:00"]


def test_day_of_shows_a_session_that_the_calendar_names_no_more(sandbox: SandboxProcess, now: datetime) -> None:
    _booked(10)
    _take_in_the_calendar(next_slot(10))

    assert _day(now)[10] is False


def test_day_of_opens_an_overdue_hold(sandbox: SandboxProcess, now: datetime) -> None:
    slot = local(next_slot(10))
    make_booking(wish=make_wish(day=slot.date(), clock=slot.time()), hold_expires_at=now)

    assert _day(now)[10] is True


def test_day_of_leaves_out_what_has_passed(sandbox: SandboxProcess, now: datetime) -> None:
    noon = next_slot(12)
    sandbox.advance(0)

    day = day_of(offer=make_offer(), day=local(noon).date(), now=noon)

    assert [slot.starts_at for slot in day.slots if slot.starts_at < noon] == []


def test_day_of_the_past_is_empty(sandbox: SandboxProcess, now: datetime) -> None:
    assert _day(now, days=-2) == {}


def test_require_offered_lets_a_listed_time_through(sandbox: SandboxProcess, now: datetime) -> None:
    require_offered(offer=make_offer(), starts_at=next_slot(10), now=now)


def test_require_offered_tells_taken_from_never_offered(sandbox: SandboxProcess, now: datetime) -> None:
    _take_in_the_calendar(next_slot(10))
    _booked(10)

    with pytest.raises(SlotTaken):
        require_offered(offer=make_offer(), starts_at=next_slot(10), now=now)
    with pytest.raises(SlotNotOffered):
        require_offered(offer=make_offer(), starts_at=next_slot(10) + timedelta(minutes=7), now=now)


def test_listing_of_asks_once_for_many_days(sandbox: SandboxProcess, now: datetime) -> None:
    for days in range(2, 32):
        _day(now, days=days)

    assert sandbox.calls("calcom.slots.list") == 1


def test_listing_of_asks_again_when_it_is_old(sandbox: SandboxProcess, now: datetime, settings: Settings) -> None:
    listing_of(event_type="103", now=now)

    listing_of(event_type="103", now=now + timedelta(seconds=settings.AVAILABILITY_FRESH_SECONDS))

    assert sandbox.calls("calcom.slots.list") == 2


def test_listing_of_asks_again_after_a_change(sandbox: SandboxProcess, now: datetime) -> None:
    listing_of(event_type="103", now=now)
    distrust_listings("103", now=now + timedelta(seconds=1))

    fresh = listing_of(event_type="103", now=now + timedelta(seconds=2))
    again = listing_of(event_type="103", now=now + timedelta(seconds=3))

    assert (fresh.is_stale, again.fetched_at, sandbox.calls("calcom.slots.list")) == (False, fresh.fetched_at, 2)


def test_listing_of_answers_stale_when_the_calendar_is_silent(sandbox: SandboxProcess, now: datetime) -> None:
    known = listing_of(event_type="103", now=now)
    sandbox.fault("calcom", "bare_500", "slots.*", times=None)

    stale = listing_of(event_type="103", now=now + timedelta(minutes=5))

    assert (stale.is_stale, stale.starts) == (True, known.starts)


def test_listing_of_invents_nothing(sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.fault("calcom", "bare_500", "slots.*", times=None)

    with pytest.raises(ProviderError):
        listing_of(event_type="103", now=now)


def test_listing_of_makes_one_call_for_many_callers_at_once(sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.fault("calcom", "delay", "slots.*", seconds=0.5)

    def ask(_: int) -> int:
        try:
            return len(listing_of(event_type="103", now=now).starts)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(20) as crowd:
        counts = set(crowd.map(ask, range(20)))

    assert (len(counts), counts > {0}, sandbox.calls("calcom.slots.list")) == (1, False, 1)


def test_listing_of_works_without_redis(sandbox: SandboxProcess, now: datetime, settings: Settings) -> None:
    dead = dict(settings.CACHES["default"], LOCATION="redis://127.0.0.1:1/0")
    settings.CACHES = {"default": dead}

    first = listing_of(event_type="103", now=now)
    second = listing_of(event_type="103", now=now)

    assert (first.starts == second.starts, sandbox.calls("calcom.slots.list")) == (True, 2)


def test_availability_says_when_it_is_stale(sandbox: SandboxProcess, api: APIClient, settings: Settings) -> None:
    asked = {"date": local(next_slot()).date().isoformat(), "sessionType": "individual"}
    fresh = api.post("/api/availability", asked).json()
    settings.AVAILABILITY_FRESH_SECONDS = 0
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
    ],
)
def test_availability_names_the_field_that_is_wrong(asked: dict[str, Any], field: str, api: APIClient) -> None:
    response = api.post("/api/availability", asked)

    assert (response.status_code, list(response.json()["fields"])) == (400, [field])
