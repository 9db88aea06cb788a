"""What is displayed is what is booked, stored, written into the calendar and mailed, whatever clocks do that day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from bookings.availability import FreeDay, Slot, availability_of
from bookings.letters import confirmation_letter
from bookings.listing_marks import ListingMarks
from bookings.practice_time import can_be_named, clock_text, days_between, instant_of, local
from bookings.refusals import SlotNotOffered
from bookings.services.booking import book_session
from bookings.services.placement import place_in_calendar
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_catalogue, make_offer, make_wish
from mindfulqalb.api.fields import ClockTime, SessionDate
from mindfulqalb.practice_clock import practice_zone

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

NEW_YORK = "America/New_York"
# In New York clocks go forward on the first of these, an hour has 23, and back on the second one.
SPRING, AUTUMN = date(2027, 3, 14), date(2027, 11, 7)
DAYS = [
    ("Asia/Kolkata", date(2027, 2, 28)),
    (NEW_YORK, SPRING),
    (NEW_YORK, AUTUMN),
    ("Pacific/Kiritimati", date(2027, 12, 31)),
]
CLOCKS = [(time(0, 0), "12:00 AM"), (time(23, 30), "11:30 PM")]


def _list(starts: list[datetime], now: datetime) -> None:
    """Let the calendar have offered these times for the individual video session."""
    make_catalogue()
    ListingMarks("103").write(now, starts)


def _slots(day: date, now: datetime, zone: ZoneInfo | None = None, code: str = "individual-video") -> list[Slot]:
    return availability_of(offer=make_offer(code), day=day, month=None, zone=zone or practice_zone(), now=now).slots


def _hours_around(day: date) -> list[datetime]:
    """Every hour of three UTC days around a day."""
    first = datetime.combine(day - timedelta(days=1), time.min, UTC)
    return [first + timedelta(hours=hour) for hour in range(72)]


@pytest.mark.parametrize(("zone", "day"), DAYS)
@pytest.mark.parametrize(("clock", "text"), CLOCKS)
def test_time_is_the_same_displayed_booked_stored_and_mailed(
    clock: time, text: str, zone: str, day: date, sandbox: SandboxProcess, settings: Settings
) -> None:
    """The calendar is open round the clock; its own clock is set to a week before that day."""
    settings.PRACTICE_TIME_ZONE = zone
    make_catalogue()
    now = instant_of(day - timedelta(days=7), time(12, 0))
    sandbox.advance((now - datetime.now(UTC)).total_seconds())
    sandbox.turn(availableFrom="00:00", availableTo="23:59")

    (shown,) = [slot for slot in _slots(day, now, code="free") if clock_text(slot.starts_at) == text]
    wish = make_wish(
        session_type="free",
        session_format=None,
        day=SessionDate().to_internal_value(local(shown.starts_at).date().isoformat()),
        clock=ClockTime().to_internal_value(clock_text(shown.starts_at)),
    )
    booking = book_session(wish=wish, payment_id=None, now=now)
    booking = place_in_calendar(booking_id=booking.id, timeout=5, now=now)

    letter = confirmation_letter(booking, now=now)
    (appointment,) = sandbox.state()["calcom"]["bookings"]
    (event,) = Calendar.from_ical(str(letter.attachments[0].content)).events
    expected = datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)
    assert (booking.state, booking.session_date, booking.session_time) == (BookingState.CONFIRMED, day, clock)
    assert {
        "displayed": shown.starts_at,
        "stored": booking.starts_at,
        "booked": datetime.fromisoformat(appointment["start"]),
        "file": event.start,
        "mailed": letter.context["starts_at"],
    } == dict.fromkeys(("displayed", "stored", "booked", "file", "mailed"), expected)


@pytest.mark.parametrize(("zone", "day"), DAYS)
def test_day_holds_what_begins_on_it_and_nothing_else(zone: str, day: date, settings: Settings) -> None:
    settings.PRACTICE_TIME_ZONE = zone
    edges = [
        instant_of(day - timedelta(days=1), time(23, 30)),
        instant_of(day, time(0, 0)),
        instant_of(day, time(23, 30)),
        instant_of(day + timedelta(days=1), time(0, 0)),
    ]
    now = edges[0] - timedelta(days=3)
    _list(edges, now)

    assert [slot.starts_at for slot in _slots(day, now)] == edges[1:3]


@pytest.mark.parametrize("zone", [NEW_YORK, "Pacific/Kiritimati", "Asia/Kolkata", "America/Santiago"])
@pytest.mark.parametrize("day", [SPRING, AUTUMN, date(2027, 4, 4), date(2027, 12, 31)])
def test_days_of_a_client_share_out_every_slot_once(zone: str, day: date) -> None:
    """A day of 23 or 25 hours loses none and shows none twice; in Santiago the clock changes at midnight."""
    starts = _hours_around(day)
    now = starts[0] - timedelta(days=3)
    _list(starts, now)

    shown = [
        slot.starts_at for offset in range(-2, 4) for slot in _slots(day + timedelta(days=offset), now, ZoneInfo(zone))
    ]

    assert shown == starts


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2027, 6, 1), 24)])
def test_day_of_a_client_is_as_long_as_their_clock_makes_it(day: date, hours: int) -> None:
    starts = _hours_around(day)
    now = starts[0] - timedelta(days=3)
    _list(starts, now)

    assert len(_slots(day, now, ZoneInfo(NEW_YORK))) == hours


def test_month_ends_where_the_clients_does() -> None:
    """Late on the last day of the year in India it is the new year in Kiritimati."""
    late, early = instant_of(date(2027, 12, 31), time(23, 30)), instant_of(date(2027, 12, 31), time(10, 0))
    now = early - timedelta(days=3)
    _list([early, late], now)

    def month(first: date, zone: str) -> list[FreeDay]:
        return availability_of(offer=make_offer(), day=None, month=first, zone=ZoneInfo(zone), now=now).days

    assert month(date(2027, 12, 1), "Asia/Kolkata") == [FreeDay(date(2027, 12, 31), 2)]
    assert month(date(2027, 12, 1), "Pacific/Kiritimati") == [FreeDay(date(2027, 12, 31), 1)]
    assert month(date(2028, 1, 1), "Pacific/Kiritimati") == [FreeDay(date(2028, 1, 1), 1)]


def test_session_across_midnight_closes_the_first_hour_of_the_next_day() -> None:
    day = date(2027, 1, 31)
    midnight = instant_of(day + timedelta(days=1), time(0, 0))
    now = midnight - timedelta(days=3)
    _list([midnight, midnight + timedelta(minutes=30)], now)
    sold = make_booking(wish=make_wish(day=day, clock=time(23, 30)), state=BookingState.PENDING)

    following = _slots(day + timedelta(days=1), now)

    assert [slot.is_available for slot in following] == [False, True]
    assert days_between(sold.starts_at, sold.ends_at) == (day, day + timedelta(days=1))


def test_span_up_to_midnight_touches_one_day() -> None:
    day = date(2027, 1, 31)
    midnight = instant_of(day + timedelta(days=1), time(0, 0))

    assert days_between(midnight - timedelta(hours=1), midnight) == (day,)
    assert days_between(midnight, midnight) == (day + timedelta(days=1),)


def test_hour_that_comes_twice_is_offered_once(settings: Settings) -> None:
    """Date and time, which is how a slot is booked, name only the first half past one of the night."""
    settings.PRACTICE_TIME_ZONE = NEW_YORK
    first = instant_of(AUTUMN, time(1, 30))
    second = first + timedelta(hours=1)
    now = first - timedelta(days=3)
    _list([first, second], now)

    assert [clock_text(instant) for instant in (first, second)] == ["1:30 AM", "1:30 AM"]
    assert [can_be_named(instant) for instant in (first, second)] == [True, False]
    assert [slot.starts_at for slot in _slots(AUTUMN, now)] == [first]


def test_hour_that_the_clock_leaves_out_cannot_be_wished_for(settings: Settings) -> None:
    settings.PRACTICE_TIME_ZONE = NEW_YORK

    with pytest.raises(SlotNotOffered):
        _ = make_wish(day=SPRING, clock=time(2, 30)).starts_at
    assert make_wish(day=SPRING, clock=time(3, 30)).starts_at == instant_of(SPRING, time(3, 30))
