"""One session, one time: in the API, on the page, in the mail and in the calendar file."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar

from bookings.letters import confirmation_letter
from bookings.links import token_of
from bookings.models import Booking
from bookings.practice_time import instant_of
from bookings.services.booking import book_session
from bookings.states import BookingState
from bookings.tests.builders import make_booking, make_payment, make_wish, next_slot
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.mail.services import send_letter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client
    from pytest_django import Settings

    from bookings.tests.visitor import Visitor
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

ZONES = ["Asia/Kolkata", "Pacific/Kiritimati", "America/New_York"]
# In New York the clock goes back on the first of November and forward on the eighth of March.
NEW_YORK_DAYS = [date(2026, 11, 1), date(2026, 11, 2), date(2027, 3, 13), date(2027, 3, 14), date(2027, 3, 15)]
FIRST_ISSUE = datetime(2026, 10, 25, tzinfo=UTC)


def _confirmed(day: date, clock: time) -> Booking:
    wish = make_wish(day=day, clock=clock)
    return make_booking(wish=wish, state=BookingState.CONFIRMED, calcom_booking_id="uid1")


def _upcoming_day() -> date:
    return next_slot(12, days=5).date()


def _by_api(client: Client, booking: Booking, token: str) -> dict[str, Any]:
    path = f"/api/bookings/{BOOKING.encode(booking.id)}"
    answer: dict[str, Any] = client.get(path, headers={"Authorization": f"Bearer {token}"}).json()
    return answer


def _instants(client: Client, booking: Booking, sandbox: SandboxProcess) -> dict[str, tuple[datetime, datetime]]:
    """Collect begin and end from everywhere that a client reads them."""
    now = datetime.now(UTC)
    token = token_of(booking, now=now)
    answer = _by_api(client, booking, token)
    send_letter(letter=confirmation_letter(booking, now=now), key=booking.id, now=now)
    (mail,) = sandbox.mailbox()
    page = client.get(f"/manage/{token}").content.decode()
    return {
        "api": (datetime.fromisoformat(answer["startsAt"]), datetime.fromisoformat(answer["endsAt"])),
        "page": _printed(page),
        "mail": _printed(mail["text"]),
        "html": _printed(mail["html"]),
        "attachment": _of_file(mail["attachments"][0]["text"]),
        "file": _of_file(client.get(f"/manage/{token}/session.ics").content.decode()),
    }


def _of_file(text: str) -> tuple[datetime, datetime]:
    (event,) = Calendar.from_ical(text).events
    return event.start, event.end  # type: ignore[return-value]


def _printed(text: str) -> tuple[datetime, datetime]:
    """Read the time as a person does: day, clock and offset, and nothing that only programs see."""
    plain = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    match = re.search(r"(\d{1,2} \w+ \d{4}),? (\d{1,2}:\d\d [AP]M) \u2013 (\d{1,2}:\d\d [AP]M)", plain)
    offset = re.search(r"GMT([+-])(\d+)(?::(\d\d))?", plain)
    assert match, plain
    assert offset, plain
    begin, end = (
        datetime.strptime(f"{match[1]} {clock} {offset[1]}{offset[2]:0>2}{offset[3] or '00'}", "%d %B %Y %I:%M %p %z")
        for clock in (match[2], match[3])
    )
    # A session that runs past midnight ends on a day that is not printed.
    return begin, end if end > begin else end + timedelta(days=1)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", [time(10, 0), time(23, 30), time(0, 0), time(12, 0)])
def test_times_are_the_same_everywhere(
    clock: time, zone: str, client: Client, sandbox: SandboxProcess, settings: Settings
) -> None:
    settings.PRACTICE_TIME_ZONE = zone
    booking = _confirmed(_upcoming_day(), clock)

    instants = _instants(client, booking, sandbox)

    assert instants == dict.fromkeys(instants, (booking.starts_at, booking.ends_at))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("clock", "text"), [(time(23, 30), "11:30 PM"), (time(0, 0), "12:00 AM"), (time(12, 0), "12:00 PM")]
)
def test_times_stay_on_the_day_that_was_chosen(
    clock: time, text: str, zone: str, client: Client, settings: Settings
) -> None:
    settings.PRACTICE_TIME_ZONE = zone
    day = _upcoming_day()
    booking = _confirmed(day, clock)

    answer = _by_api(client, booking, token_of(booking, now=datetime.now(UTC)))

    assert (answer["date"], answer["time"], answer["timeZone"]) == (day.isoformat(), text, zone)
    assert answer["startsAt"] == datetime.combine(day, clock, ZoneInfo(zone)).isoformat()
    assert (booking.session_date, booking.session_time) == (day, clock)


@pytest.mark.parametrize("day", NEW_YORK_DAYS)
def test_times_reach_a_client_across_their_clock_change(day: date) -> None:
    """What the calendar of somebody in New York shows is the practice's instant, whatever their clock does that day."""
    booking = _confirmed(day, time(18, 0))
    there = ZoneInfo("America/New_York")

    letter = confirmation_letter(booking, now=FIRST_ISSUE)

    begin, end = (instant.astimezone(there) for instant in _of_file(str(letter.attachments[0].content)))
    is_summer = date(2026, 3, 8) <= day < date(2026, 11, 1) or day >= date(2027, 3, 14)
    assert (begin.strftime("%Y-%m-%d %H:%M"), (end - begin).total_seconds()) == (
        f"{day} {'08:30' if is_summer else '07:30'}",
        3600,
    )


@pytest.mark.parametrize("day", [date(2026, 11, 1), date(2027, 3, 14)])
def test_times_of_a_practice_in_new_york_follow_its_clock(
    day: date, settings: Settings, sandbox: SandboxProcess
) -> None:
    settings.PRACTICE_TIME_ZONE = "America/New_York"
    booking = _confirmed(day, time(10, 0))

    send_letter(letter=confirmation_letter(booking, now=FIRST_ISSUE), key=booking.id, now=FIRST_ISSUE)

    (mail,) = sandbox.mailbox()
    offset = 5 if day.month == 11 else 4
    assert (booking.starts_at, booking.session_time) == (
        datetime(day.year, day.month, day.day, 10 + offset, tzinfo=UTC),
        time(10, 0),
    )
    assert f"10:00 AM \u2013 11:00 AM (America/New_York, GMT-{offset})" in mail["text"]


# Through the whole API, at the edges of the day, in a calendar that is open round the clock


@pytest.fixture
def _round_the_clock(sandbox: SandboxProcess) -> Iterator[None]:
    sandbox.turn(availableFrom="00:00", availableTo="23:59")
    yield
    sandbox.turn(availableFrom="09:00", availableTo="18:00")


@pytest.mark.usefixtures("_round_the_clock")
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Kiritimati"])
def test_availability_lists_a_day_of_the_practices_clock(zone: str, visitor: Visitor, settings: Settings) -> None:
    settings.PRACTICE_TIME_ZONE = zone
    day = _upcoming_day()

    _, answer = visitor.post("/api/availability", {"date": day.isoformat(), "sessionType": "individual"})

    starts = [datetime.fromisoformat(slot["start"]) for slot in answer["slots"]]
    assert ({start.date() for start in starts}, answer["timeZone"]) == ({day}, zone)
    assert {start.utcoffset() for start in starts} == {ZoneInfo(zone).utcoffset(datetime.combine(day, time(12)))}
    assert [slot["time"] for slot in answer["slots"]] == [f"{start:%I:%M %p}".lstrip("0") for start in starts]
    assert len(starts) >= 22


@pytest.mark.usefixtures("_round_the_clock")
def test_midnight_can_be_held_paid_and_booked(visitor: Visitor) -> None:
    day = _upcoming_day()
    visitor.starts_at = instant_of(day, time(0, 0))
    status, hold = visitor.hold()
    assert status == 201, hold
    triple = visitor.pay(hold["payment"]["orderId"])

    status, answer = visitor.book(triple["razorpay_payment_id"])

    booking = Booking.objects.get()
    (appointment,) = visitor.sandbox.state()["calcom"]["bookings"]
    assert (status, answer["status"], booking.session_date, booking.session_time) == (201, "confirmed", day, time(0, 0))
    assert datetime.fromisoformat(appointment["start"]) == booking.starts_at == instant_of(day, time(0, 0))


def test_booking_at_half_past_eleven_at_night_keeps_its_day(now: datetime) -> None:
    day = _upcoming_day()
    make_booking(wish=make_wish(day=day, clock=time(8, 0)))

    booking = book_session(
        wish=make_wish(day=day, clock=time(23, 30)), payment_id=make_payment().provider_payment_id, now=now
    )

    assert (booking.session_date, booking.session_time, booking.starts_at) == (
        day,
        time(23, 30),
        instant_of(day, time(23, 30)),
    )


@pytest.mark.parametrize(
    ("zone", "status", "kept"),
    [("America/New_York", 201, "America/New_York"), (None, 201, ""), ("Mars/Olympus_Mons", 201, ""), (7, 400, None)],
)
def test_hold_keeps_the_clients_zone_and_never_fails_for_one(
    zone: object, status: int, kept: str | None, visitor: Visitor
) -> None:
    visitor.extra = {"timeZone": zone}

    answer = visitor.hold()

    stored = Booking.objects.values_list("time_zone", "starts_at").first()
    assert (answer[0], stored) == (status, None if kept is None else (kept, visitor.starts_at))
