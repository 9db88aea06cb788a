"""When clients are reminded, and when not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bookings.handlers import send_reminder
from bookings.models import Booking, Reminder, ReminderRefusal
from bookings.practice_time import local, zone_named
from bookings.reminders import sending_time
from bookings.services.reminding import remind_of_sessions, resume_reminders, stop_reminders
from bookings.states import BookingState, ReminderKind
from bookings.tests.builders import NOW, make_booking, make_wish
from consent.evidence import Circumstances
from consent.withdrawal import withdraw_consent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery
from mindfulqalb.practice_clock import practice_zone

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

DAY, HOUR = ReminderKind.DAY, ReminderKind.HOUR
START = datetime(2026, 12, 4, 4, 30, tzinfo=UTC)  # ten in the morning in Kolkata
A_DAY_BEFORE = START - timedelta(hours=24)


def _confirmed(**overrides: Any) -> Booking:
    values: dict[str, Any] = {"state": BookingState.CONFIRMED, "calcom_booking_id": "uid1", "updated_at": NOW}
    return make_booking(**(values | overrides))


def _kinds() -> list[str]:
    return list(Reminder.objects.order_by("created_at").values_list("kind", flat=True))


def _deliver(now: datetime) -> None:
    for message in OutboxMessage.objects.filter(topic="email.reminder"):
        send_reminder(
            Delivery(
                message_id=message.id,
                topic=message.topic,
                lane=message.lane,
                payload=message.payload,
                attempts=1,
                now=now,
            )
        )


# When


@pytest.mark.parametrize(
    ("clock", "begins", "ends"),
    [
        ("2026-12-04 10:00", "2026-12-03 10:00", "2026-12-03 16:00"),
        ("2026-12-04 08:00", "2026-12-03 08:00", "2026-12-03 14:00"),
        ("2026-12-04 07:30", "2026-12-02 20:00", "2026-12-02 21:00"),
        ("2026-12-04 00:00", "2026-12-02 20:00", "2026-12-02 21:00"),
        ("2026-12-04 23:30", "2026-12-03 20:00", "2026-12-03 21:00"),
        ("2026-12-04 21:00", "2026-12-03 20:00", "2026-12-03 21:00"),
        ("2026-12-04 20:30", "2026-12-03 20:30", "2026-12-03 21:00"),
        ("2027-01-01 00:30", "2026-12-30 20:00", "2026-12-30 21:00"),
    ],
)
def test_day_reminder_goes_a_day_before_and_never_at_night(clock: str, begins: str, ends: str) -> None:
    start = datetime.fromisoformat(f"{clock}+05:30")

    times = sending_time(DAY, start, practice_zone())

    assert [f"{local(moment):%Y-%m-%d %H:%M}" for moment in times] == [begins, ends]


@pytest.mark.parametrize(
    ("zone", "begins", "ends"),
    [
        # Ten in the morning in Kolkata is half past eleven in the evening in New York, and dinner in Kiritimati.
        ("America/New_York", "2026-12-02 20:00", "2026-12-02 21:00"),
        ("Pacific/Kiritimati", "2026-12-03 18:30", "2026-12-03 21:00"),
        ("Asia/Kolkata", "2026-12-03 10:00", "2026-12-03 16:00"),
        ("", "2026-12-03 10:00", "2026-12-03 16:00"),
        ("Mars/Olympus_Mons", "2026-12-03 10:00", "2026-12-03 16:00"),
        ("../etc/passwd", "2026-12-03 10:00", "2026-12-03 16:00"),
    ],
)
def test_day_reminder_keeps_the_night_of_the_client(zone: str, begins: str, ends: str) -> None:
    times = sending_time(DAY, START, zone_named(zone))

    assert [f"{moment.astimezone(zone_named(zone)):%Y-%m-%d %H:%M}" for moment in times] == [begins, ends]


@pytest.mark.parametrize(
    ("day", "begins"),
    [
        # At six in the morning, on the days when clocks change: the night before begins at nine by the clock.
        ("2027-03-14", "2027-03-12 20:00"),
        ("2026-11-01", "2026-10-30 20:00"),
        ("2027-03-15", "2027-03-13 20:00"),
    ],
)
def test_day_reminder_keeps_the_night_when_clocks_change(day: str, begins: str) -> None:
    zone = zone_named("America/New_York")
    start = datetime.fromisoformat(f"{day} 06:00").replace(tzinfo=zone).astimezone(UTC)

    times = sending_time(DAY, start, zone)

    assert f"{times[0].astimezone(zone):%Y-%m-%d %H:%M}" == begins
    assert times[1] - times[0] == timedelta(hours=1)


def test_session_is_reminded_of_by_the_clients_clock() -> None:
    """In New York the day before is the middle of the night: it goes in the evening, and nothing then."""
    _confirmed(time_zone="America/New_York")

    evening = datetime(2026, 12, 3, 1, 0, tzinfo=UTC)
    remind_of_sessions(now=evening - timedelta(minutes=1))
    before = _kinds()
    remind_of_sessions(now=evening)

    assert (before, _kinds()) == ([], [DAY])


@pytest.mark.parametrize("clock", ["2026-12-04 10:00", "2026-12-04 05:00", "2026-12-04 23:30"])
def test_hour_reminder_goes_an_hour_before_at_night_too(clock: str) -> None:
    start = datetime.fromisoformat(f"{clock}+05:30")

    assert sending_time(HOUR, start, practice_zone()) == (start - timedelta(hours=1), start - timedelta(minutes=15))


@pytest.mark.parametrize(
    ("before", "kinds"),
    [
        (timedelta(hours=24, minutes=1), []),
        (timedelta(hours=24), [DAY]),
        (timedelta(hours=18, minutes=1), [DAY]),
        (timedelta(hours=18), []),
        (timedelta(hours=1, minutes=1), []),
        (timedelta(hours=1), [HOUR]),
        (timedelta(minutes=16), [HOUR]),
        (timedelta(minutes=15), []),
        (timedelta(0), []),
    ],
)
def test_session_is_reminded_of_in_time_and_never_late(before: timedelta, kinds: list[str]) -> None:
    _confirmed()

    remind_of_sessions(now=START - before)

    assert _kinds() == kinds


@pytest.mark.parametrize(
    ("booked_before", "kinds"),
    [
        (timedelta(hours=30), [DAY, HOUR]),
        (timedelta(hours=29), [HOUR]),
        (timedelta(hours=20), [HOUR]),
        (timedelta(hours=2), [HOUR]),
        (timedelta(minutes=119), []),
        (timedelta(minutes=30), []),
    ],
)
def test_session_booked_shortly_before_is_reminded_of_where_it_makes_sense(
    booked_before: timedelta, kinds: list[str]
) -> None:
    booked_at = START - booked_before
    _confirmed(updated_at=booked_at)

    for minutes in range(0, int(booked_before.total_seconds() // 60), 10):
        remind_of_sessions(now=booked_at + timedelta(minutes=minutes))

    assert _kinds() == kinds


def test_session_is_reminded_of_once_however_often_it_is_looked_at() -> None:
    _confirmed()

    counts = [remind_of_sessions(now=A_DAY_BEFORE + timedelta(minutes=minute)) for minute in range(5)]

    assert (counts, OutboxMessage.objects.filter(topic="email.reminder").count()) == ([1, 0, 0, 0, 0], 1)


@pytest.mark.parametrize("state", sorted(set(BookingState) - {BookingState.CONFIRMED}))
def test_session_that_does_not_stand_is_not_reminded_of(state: BookingState) -> None:
    _confirmed(state=state)

    assert remind_of_sessions(now=A_DAY_BEFORE) == 0


def test_session_that_was_moved_is_reminded_of_at_its_new_time() -> None:
    booking = _confirmed()
    remind_of_sessions(now=A_DAY_BEFORE)
    later = START + timedelta(days=2)
    Booking.objects.filter(id=booking.id).update(
        starts_at=later, ends_at=later + timedelta(hours=1), updated_at=A_DAY_BEFORE
    )

    counts = [remind_of_sessions(now=later - ahead) for ahead in (timedelta(hours=25), timedelta(hours=24))]

    assert (
        counts,
        list(Reminder.objects.order_by("session_starts_at").values_list("session_starts_at", flat=True)),
    ) == (
        [0, 1],
        [START, later],
    )


def test_reminding_asks_no_more_for_sessions_that_are_not_due(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for hour in (10, 12, 15):
        _confirmed(wish=make_wish(clock=datetime(2026, 1, 1, hour).time()), calcom_booking_id=f"uid{hour}")  # noqa: DTZ001

    with django_assert_num_queries(1):
        remind_of_sessions(now=A_DAY_BEFORE - timedelta(hours=1))


def test_reminding_locks_nobody_who_is_reminded_already(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for hour in (10, 12, 15):
        _confirmed(wish=make_wish(clock=datetime(2026, 1, 1, hour).time()), calcom_booking_id=f"uid{hour}")  # noqa: DTZ001
    a_day_before_all = START - timedelta(hours=19)
    assert remind_of_sessions(now=a_day_before_all) == 3

    with django_assert_num_queries(2):
        assert remind_of_sessions(now=a_day_before_all + timedelta(minutes=1)) == 0


# The mail


def test_reminder_arrives_and_says_how_to_stop(sandbox: SandboxProcess) -> None:
    _confirmed()
    remind_of_sessions(now=A_DAY_BEFORE)

    _deliver(A_DAY_BEFORE)

    (mail,) = sandbox.mailbox()
    headers = dict(mail["headers"])
    stop = headers["List-Unsubscribe"].strip(" <>")
    assert (mail["subject"], headers["List-Unsubscribe-Post"].strip()) == (
        "A reminder of your appointment",
        "List-Unsubscribe=One-Click",
    )
    assert ("/reminders/" in stop, stop in mail["text"], f'href="{stop}"' in mail["html"]) == (True, True, True)


def test_reminder_is_written_in_the_bookings_language(sandbox: SandboxProcess) -> None:
    _confirmed(locale="hi")
    remind_of_sessions(now=A_DAY_BEFORE)

    _deliver(A_DAY_BEFORE)

    (mail,) = sandbox.mailbox()
    assert mail["subject"].strip() == "आपके अपॉइंटमेंट की याद"
    assert "कब: शुक्रवार, 4 दिसंबर 2026, सुबह 10:00 \N{EN DASH} 11:00 बजे" in mail["text"]


def test_reminder_goes_once_though_its_worker_dies_after_sending(sandbox: SandboxProcess) -> None:
    _confirmed()
    remind_of_sessions(now=A_DAY_BEFORE)

    _deliver(A_DAY_BEFORE)
    _deliver(A_DAY_BEFORE)

    assert len(sandbox.mailbox()) == 1


@pytest.mark.parametrize("change", [{"state": BookingState.CANCELLED}, {"starts_at": START - timedelta(hours=2)}])
def test_reminder_of_what_changed_meanwhile_does_not_go(sandbox: SandboxProcess, change: dict[str, object]) -> None:
    booking = _confirmed()
    remind_of_sessions(now=A_DAY_BEFORE)
    Booking.objects.filter(id=booking.id).update(**change)

    _deliver(A_DAY_BEFORE)

    assert sandbox.mailbox() == []


def test_reminder_that_has_become_late_does_not_go(sandbox: SandboxProcess) -> None:
    _confirmed()
    remind_of_sessions(now=START - timedelta(hours=1))

    _deliver(START - timedelta(minutes=15))

    assert sandbox.mailbox() == []


# Who wants none


def test_client_who_stopped_reminders_gets_none_of_any_session(sandbox: SandboxProcess) -> None:
    stop_reminders(booking=_confirmed(), now=NOW)
    _confirmed(wish=make_wish(clock=datetime(2026, 1, 1, 12).time()), calcom_booking_id="uid2")  # noqa: DTZ001

    assert [remind_of_sessions(now=A_DAY_BEFORE + timedelta(hours=hours)) for hours in (0, 2)] == [0, 0]


def test_client_who_stops_between_noting_and_sending_gets_none(sandbox: SandboxProcess) -> None:
    booking = _confirmed()
    remind_of_sessions(now=A_DAY_BEFORE)
    stop_reminders(booking=booking, now=A_DAY_BEFORE)

    _deliver(A_DAY_BEFORE)

    assert sandbox.mailbox() == []


def test_client_who_withdrew_consent_is_not_reminded() -> None:
    booking = _confirmed()
    assert booking.consent is not None
    withdraw_consent(consent_id=booking.consent.id, circumstances=Circumstances(), now=NOW)

    assert remind_of_sessions(now=A_DAY_BEFORE) == 0


def test_client_may_take_reminders_up_again() -> None:
    booking = _confirmed()
    for _ in range(2):
        stop_reminders(booking=booking, now=NOW)
    resume_reminders(booking=booking, now=NOW)

    assert (ReminderRefusal.objects.count(), remind_of_sessions(now=A_DAY_BEFORE)) == (0, 1)
