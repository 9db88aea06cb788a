from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import connection

from bookings.calendars import background_calendar
from bookings.health import ask_agreement
from bookings.models import Booking, CalendarCursor, CalendarFinding
from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.cancellation import cancel_by_client, clear_calendar
from bookings.services.moving import move_in_calendar
from bookings.services.placement import place_in_calendar
from bookings.services.reconciliation import (
    Outcome,
    look_for_missing,
    poll_calendar,
    reconcile_appointment,
    reconcile_since,
    reconcile_uid,
)
from bookings.services.rescheduling import request_move
from bookings.states import BookingState
from bookings.tests.builders import (
    JOHN,
    make_booking,
    make_catalogue,
    make_payment,
    make_wish,
    next_slot,
)
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.observability.health import Broken
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Refund

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

NEW = next_slot(15, days=5)
LATER = timedelta(seconds=31)


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _book(now: datetime, *, hour: int = 10, **overrides: Any) -> Booking:
    slot = local(next_slot(hour))
    wish = make_wish(day=slot.date(), clock=slot.time(), **overrides)
    return book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)


@pytest.fixture
def booked(sandbox: SandboxProcess, now: datetime) -> Booking:
    return place_in_calendar(booking_id=_book(now).id, timeout=5, now=now)


def _uid(booking: Booking) -> str:
    return booking.calcom_booking_id or ""


def _poll(booking: Booking, now: datetime) -> Booking:
    poll_calendar(now=now)
    booking.refresh_from_db()
    return booking


def _topics() -> list[str]:
    found = OutboxMessage.objects.filter(state="PENDING").order_by("sequence").values_list("topic", flat=True)
    return [topic for topic in found if topic != "email.confirmation"]


def _strangers(sandbox: SandboxProcess, starts_at: datetime, **overrides: Any) -> str:
    """Somebody books on Cal.com's own page; nothing here knows of it."""
    body = {
        "start": starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventTypeId": 103,
        "attendee": {"name": "Sam Stranger", "email": "sam@example.com", "timeZone": "Asia/Kolkata"},
    }
    headers = {"cal-api-version": "2024-08-13"}
    answer = requests.post(f"{sandbox.url}/calcom/v2/bookings", json=body | overrides, headers=headers, timeout=10)
    return str(answer.json()["data"]["uid"])


# What therapists do in Cal.com


def test_poll_follows_a_move(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.change_booking(_uid(booked), "reschedule", start=NEW.isoformat())

    moved = _poll(booked, now)

    assert (moved.starts_at, moved.state, moved.moves, moved.sequence) == (NEW, BookingState.CONFIRMED, 0, 1)
    assert (_topics(), AuditEvent.objects.get(action="booking.moved").actor) == (["email.moved"], "vendor:calcom")


def test_poll_follows_two_moves_to_the_last(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    middle = sandbox.change_booking(_uid(booked), "reschedule", start=next_slot(12).isoformat())
    last = sandbox.change_booking(middle["uid"], "reschedule", start=NEW.isoformat())

    moved = _poll(booked, now)

    assert (moved.starts_at, moved.calcom_booking_id) == (NEW, last["uid"])


def test_poll_follows_a_cancellation_and_lets_the_client_choose(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    """As when the practice cancels here: another time, or all of the money."""
    sandbox.change_booking(_uid(booked), "cancel")

    cancelled = _poll(booked, now)

    assert (cancelled.state, cancelled.payment_released_at) == (BookingState.CANCELLED, now)
    assert (_topics(), Refund.objects.count()) == (["calendar.cancel", "email.cancelled"], 0)


def test_poll_applies_the_clients_policy_when_the_client_cancelled_there(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    Booking.objects.filter(id=booked.id).update(starts_at=now + timedelta(hours=2), ends_at=now + timedelta(hours=3))
    sandbox.change_booking(_uid(booked), "cancel", by="client")

    assert _poll(booked, now).state == BookingState.CANCELLED
    assert (Refund.objects.get().amount_minor, Refund.objects.get().reason) == (64950, "cancelled_by_client")


def test_poll_confirms_what_a_host_accepts(sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.turn(requiresConfirmation=[103])
    booking = _book(now)
    with pytest.raises(RetryLater):
        place_in_calendar(booking_id=booking.id, timeout=5, now=now)
    uid = sandbox.state()["calcom"]["bookings"][0]["uid"]

    assert _poll(booking, now).state == BookingState.PENDING
    sandbox.change_booking(uid, "confirm")
    assert (_poll(booking, now).state, booking.calcom_booking_id) == (BookingState.CONFIRMED, uid)


def test_poll_frees_the_money_of_what_a_host_declines(sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.turn(requiresConfirmation=[103])
    booking = _book(now)
    with pytest.raises(RetryLater):
        place_in_calendar(booking_id=booking.id, timeout=5, now=now)
    sandbox.change_booking(sandbox.state()["calcom"]["bookings"][0]["uid"], "decline")

    assert _poll(booking, now).state == BookingState.REJECTED
    assert "email.slot_lost" in _topics()


def test_poll_notes_that_the_client_did_not_come(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    after = booked.ends_at + timedelta(minutes=5)
    sandbox.advance((after - now).total_seconds())
    sandbox.change_booking(_uid(booked), "no-show")

    assert _poll(booked, after).state == BookingState.NO_SHOW


def test_poll_twice_changes_nothing_the_second_time(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.change_booking(_uid(booked), "reschedule", start=NEW.isoformat())
    before = Booking.objects.filter(id=_poll(booked, now).id).values().get(), _topics()

    _poll(booked, now)

    assert (Booking.objects.filter(id=booked.id).values().get(), _topics()) == before


def test_move_into_a_hold_comes_before_the_hold(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    slot = local(NEW)
    hold = make_booking(
        wish=make_wish(day=slot.date(), clock=slot.time(), customer=JOHN), hold_expires_at=now + timedelta(minutes=9)
    )
    sandbox.change_booking(_uid(booked), "reschedule", start=NEW.isoformat())

    moved = _poll(booked, now)

    hold.refresh_from_db()
    assert (moved.starts_at, hold.state) == (NEW, BookingState.CANCELLED)
    assert "payment.abandon" in _topics()
    let_go = AuditEvent.objects.get(action="booking.cancelled", target=f"booking:{hold.id}")
    assert let_go.actor == "vendor:calcom"


def test_move_onto_another_session_is_shown_and_not_followed(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    slot = local(NEW)
    wish = make_wish(day=slot.date(), clock=slot.time(), customer=JOHN)
    other = make_booking(wish=wish, state=BookingState.PENDING)
    sandbox.change_booking(_uid(booked), "reschedule", start=NEW.isoformat())

    stayed = _poll(booked, now)

    finding = CalendarFinding.objects.get()
    assert (stayed.starts_at, finding.kind, finding.booking_id) == (next_slot(), "CONFLICT", booked.id)
    with pytest.raises(Broken):
        ask_agreement(now)
    other.cancel()
    other.save()
    reconcile_uid(uid=finding.calendar_uid, now=now)
    poll_calendar(now=now)
    assert CalendarFinding.objects.get().settled_at == now


# Old news, and news that come in any order


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2, 2), (1,), (0, 0)])
def test_webhooks_in_any_order_and_number_end_the_same(
    order: tuple[int, ...], booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    first = _uid(booked)
    second = sandbox.change_booking(first, "reschedule", start=NEW.isoformat())["uid"]
    third = sandbox.change_booking(second, "reschedule", start=next_slot(11, days=6).isoformat())["uid"]

    for number in order:
        reconcile_uid(uid=[first, second, third][number], now=now)

    booked.refresh_from_db()
    assert (booked.calcom_booking_id, booked.starts_at) == (third, next_slot(11, days=6))
    assert (_topics(), CalendarFinding.objects.count()) == (["email.moved"], 0)


def test_old_news_do_not_undo_a_move_of_ours(booked: Booking, now: datetime) -> None:
    old = background_calendar().appointment(_uid(booked))
    assert old is not None
    request_move(booking_id=booked.id, starts_at=NEW, now=now)
    move_in_calendar(booking_id=booked.id, timeout=5, now=now)

    assert reconcile_appointment(appointment=old, now=now) == Outcome.AGREED

    booked.refresh_from_db()
    assert booked.starts_at == NEW


def test_poll_finishes_a_move_whose_answer_was_lost(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    request_move(booking_id=booked.id, starts_at=NEW, now=now)
    sandbox.fault("calcom", "drop", "bookings.reschedule")
    with pytest.raises(ProviderError):
        move_in_calendar(booking_id=booked.id, timeout=5, now=now)

    moved = _poll(booked, now)

    assert (moved.starts_at, moved.moves, Booking.objects.count(), _topics()) == (NEW, 1, 1, ["email.moved"])


def test_poll_confirms_a_booking_whose_answer_was_lost(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _book(now)
    sandbox.fault("calcom", "drop", "bookings.create")
    with pytest.raises(ProviderError):
        place_in_calendar(booking_id=booking.id, timeout=5, now=now)

    assert _poll(booking, now).state == BookingState.CONFIRMED


def test_poll_takes_out_again_what_was_cancelled_here_and_stands_there(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    cancel_by_client(booking_id=booked.id, now=now)
    OutboxMessage.objects.filter(topic="calendar.cancel").update(state="DEAD", finished_at=now)

    for _ in range(2):
        _poll(booked, now)

    assert _topics().count("calendar.cancel") == 1
    clear_calendar(booking_id=booked.id, now=now)
    assert [item["status"] for item in sandbox.state()["calcom"]["bookings"]] == ["cancelled"]


# Whose is it


def test_unknown_appointment_is_shown_to_staff_and_left_alone(sandbox: SandboxProcess, now: datetime) -> None:
    uid = _strangers(sandbox, NEW)

    for _ in range(2):
        poll_calendar(now=now)

    finding = CalendarFinding.objects.get()
    assert (finding.kind, finding.calendar_uid, finding.starts_at, finding.event_type) == ("UNKNOWN", uid, NEW, "103")
    assert (finding.client_name, finding.client_email) == ("Sam Stranger", "sam@example.com")
    assert [item["status"] for item in sandbox.state()["calcom"]["bookings"]] == ["accepted"]
    sandbox.change_booking(uid, "cancel")
    poll_calendar(now=now)
    finding.refresh_from_db()
    assert (finding.settled_at, CalendarFinding.objects.count()) == (now, 1)


def test_unknown_appointment_of_an_event_type_that_is_not_sold_is_none_of_our_business(
    sandbox: SandboxProcess, now: datetime, settings: Settings
) -> None:
    settings.CALCOM_EVENT_TYPE_IDS = {"free": "401"}
    _strangers(sandbox, NEW)

    poll_calendar(now=now)

    assert CalendarFinding.objects.count() == 0


def test_strangers_appointment_with_our_reference_moves_nobody(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    """Anybody may book at Cal.com, with any metadata."""
    _strangers(sandbox, NEW, metadata={"reference": str(booked.id)})

    assert _poll(booked, now).starts_at == next_slot()
    assert CalendarFinding.objects.get().kind == "UNKNOWN"


def test_session_missing_in_the_calendar_is_shown_until_it_is_there(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    uid = _uid(booked)
    Booking.objects.filter(id=booked.id).update(calcom_booking_id="nowhere")

    assert (look_for_missing(now=now), CalendarFinding.objects.get().kind) == (1, "MISSING")
    with pytest.raises(Broken):
        ask_agreement(now)
    Booking.objects.filter(id=booked.id).update(calcom_booking_id=uid)
    later = now + timedelta(hours=1)
    assert (look_for_missing(now=later), CalendarFinding.objects.get().settled_at) == (0, later)
    ask_agreement(now)


def test_look_for_missing_follows_what_was_changed_instead(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    sandbox.change_booking(_uid(booked), "cancel")

    assert look_for_missing(now=now) == 0

    booked.refresh_from_db()
    assert (booked.state, CalendarFinding.objects.count()) == (BookingState.CANCELLED, 0)


@pytest.mark.parametrize("count", [1, 3])
def test_look_for_missing_asks_once_for_any_number(count: int, sandbox: SandboxProcess, now: datetime) -> None:
    for hour in range(9, 9 + count):
        place_in_calendar(booking_id=_book(now, hour=hour).id, timeout=5, now=now)

    assert (look_for_missing(now=now), sandbox.calls("calcom.bookings.list")) == (0, 1)
    assert sandbox.calls("calcom.bookings.get") == 0


# The cursor


def test_poll_goes_on_where_it_stopped(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    poll_calendar(now=now)
    poll_calendar(now=now)

    cursor = CalendarCursor.objects.get()
    asked = [urlsplit(entry["path"]).query for entry in sandbox.call_log("calcom.bookings.list")]
    since = [parse_qs(query)["afterUpdatedAt"][0] for query in asked]
    assert since[0] == (now - timedelta(days=2, minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert since[1] == (cursor.changed_until - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert cursor.asked_at == now


def _break(booking: Booking) -> None:
    with connection.cursor() as cursor:
        sql = "UPDATE bookings SET customer_email_encrypted = customer_name_encrypted WHERE id = %s"
        cursor.execute(sql, [booking.id])


def test_poll_goes_on_after_an_appointment_that_nobody_thought_of(
    booked: Booking, sandbox: SandboxProcess, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    other = place_in_calendar(booking_id=_book(now, hour=12, customer=JOHN).id, timeout=5, now=now)
    for each in (booked, other):
        sandbox.change_booking(_uid(each), "cancel")
    _break(booked)

    assert list(reconcile_since(since=now - timedelta(days=1), now=now)) == [Outcome.BROKEN, Outcome.FOLLOWED]
    poll_calendar(now=now)

    assert Booking.objects.get(id=other.id).state == BookingState.CANCELLED
    assert CalendarCursor.objects.get().asked_at == now
    errors = {record.message.split(": ")[0] for record in caplog.records if record.levelname == "ERROR"}
    assert errors == {f"appointment {_uid(booked)} broke the calendar's reconciler"}


def test_look_for_missing_goes_on_after_a_session_that_nobody_thought_of(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    other = place_in_calendar(booking_id=_book(now, hour=12, customer=JOHN).id, timeout=5, now=now)
    sandbox.change_booking(_uid(booked), "cancel")
    _break(booked)
    Booking.objects.filter(id=other.id).update(calcom_booking_id="never-heard-of")

    assert look_for_missing(now=now) == 1


def test_poll_stays_in_the_present_whatever_the_calendars_clock_says(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    sandbox.advance(86400)
    sandbox.change_booking(_uid(booked), "cancel")

    poll_calendar(now=now)

    assert CalendarCursor.objects.get().changed_until == now


def test_poll_without_an_answer_forgets_nothing(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    poll_calendar(now=now)
    before = CalendarCursor.objects.values().get()
    sandbox.change_booking(_uid(booked), "cancel")
    sandbox.fault("calcom", "bare_500", "bookings.list")

    with pytest.raises(ProviderError):
        poll_calendar(now=now + LATER)

    assert CalendarCursor.objects.values().get() == before
    assert _poll(booked, now + LATER).state == BookingState.CANCELLED


def test_health_says_when_the_calendar_has_not_been_heard(now: datetime) -> None:
    CalendarCursor.objects.create(name="changes", changed_until=now, asked_at=now - timedelta(minutes=10))
    ask_agreement(now)

    with pytest.raises(Broken):
        ask_agreement(now + timedelta(seconds=1))


def test_health_says_when_the_calendar_was_never_heard(sandbox: SandboxProcess, now: datetime) -> None:
    sandbox.fault("calcom", "bare_500", "bookings.list")
    with pytest.raises(ProviderError):
        poll_calendar(now=now)
    ask_agreement(now + timedelta(minutes=10))

    with pytest.raises(Broken):
        ask_agreement(now + timedelta(minutes=10, seconds=1))


# The command


def test_reconcile_calendar_says_what_it_did(booked: Booking, sandbox: SandboxProcess) -> None:
    sandbox.change_booking(_uid(booked), "cancel")
    _strangers(sandbox, NEW)
    said = StringIO()

    call_command("reconcile_calendar", since=(datetime.now(UTC) - timedelta(days=1)).date().isoformat(), stdout=said)

    assert said.getvalue() == "Looked at 2: 1 followed, 1 unknown; missing in the calendar: 0.\n"


def test_reconcile_calendar_fails_when_the_calendar_is_silent(sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "bare_500", "bookings.list", times=None)

    with pytest.raises(CommandError, match=r"Run it again\."):
        call_command("reconcile_calendar", since="2026-11-01", stdout=StringIO())


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01"])
def test_reconcile_calendar_wants_a_day(day: str) -> None:
    with pytest.raises(CommandError, match="--since"):
        call_command("reconcile_calendar", since=day, stdout=StringIO())
