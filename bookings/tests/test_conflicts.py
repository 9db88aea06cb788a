from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from bookings.health import ask_agreement
from bookings.metrics import calendar_findings
from bookings.models import Booking, CalendarFinding
from bookings.practice_time import local
from bookings.refusals import NotAConflict
from bookings.services.booking import book_session
from bookings.services.moving import give_up_move, move_in_calendar
from bookings.services.placement import place_in_calendar
from bookings.services.reconciliation import poll_calendar, revisit_conflicts
from bookings.services.rescheduling import request_move
from bookings.services.settling import put_back, request_put_back
from bookings.states import BookingState
from bookings.tasks import poll_calendar_task
from bookings.tests.builders import JOHN, make_booking, make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from django.test import Client

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

NEW = next_slot(15, days=5)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


@pytest.fixture
def booked(sandbox: SandboxProcess, now: datetime) -> Booking:
    """Jane's session in the calendar; sessions of this kind leave a quarter of an hour after them."""
    SessionOffer.objects.update(buffer_minutes=15)
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    booking = book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)
    return place_in_calendar(booking_id=booking.id, timeout=5, now=now)


def _johns(starts_at: datetime, state: BookingState = BookingState.PENDING, **overrides: object) -> Booking:
    slot = local(starts_at)
    return make_booking(wish=make_wish(day=slot.date(), clock=slot.time(), customer=JOHN), state=state, **overrides)


def _moved_by_host(booking: Booking, sandbox: SandboxProcess, now: datetime, to: datetime = NEW) -> Booking:
    sandbox.change_booking(booking.calcom_booking_id or "", "reschedule", start=to.isoformat())
    poll_calendar(now=now)
    booking.refresh_from_db()
    return booking


def _standing(sandbox: SandboxProcess) -> list[str]:
    return [item["start"][:16] for item in sandbox.state()["calcom"]["bookings"] if item["status"] == "accepted"]


def _topics() -> list[str]:
    found = OutboxMessage.objects.filter(state="PENDING").order_by("sequence").values_list("topic", flat=True)
    return [topic for topic in found if topic != "email.confirmation"]


# Buffers yield to the therapist


def test_move_into_the_buffer_after_a_session_is_followed(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    earlier = _johns(NEW - HOUR)

    moved = _moved_by_host(booked, sandbox, now)

    earlier.refresh_from_db()
    assert (moved.starts_at, moved.buffer_minutes, earlier.buffer_minutes) == (NEW, 15, 0)
    assert AuditEvent.objects.get(action="booking.buffer_shortened").target == f"booking:{earlier.id}"
    assert CalendarFinding.objects.count() == 0


def test_move_close_before_a_session_is_followed(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    later = _johns(NEW + HOUR)

    moved = _moved_by_host(booked, sandbox, now)

    later.refresh_from_db()
    assert (moved.starts_at, moved.buffer_minutes, later.buffer_minutes) == (NEW, 0, 15)


def test_buffer_keeps_the_minutes_that_are_left_of_it(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    earlier = _johns(NEW - HOUR)
    Booking.objects.filter(id=earlier.id).update(ends_at=NEW - timedelta(minutes=10))

    _moved_by_host(booked, sandbox, now)

    earlier.refresh_from_db()
    assert earlier.buffer_minutes == 10


def test_hold_in_the_buffer_alone_is_kept(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    """Its client is paying; the session itself does not need that time."""
    hold = _johns(NEW + HOUR, BookingState.HELD, hold_expires_at=now + timedelta(minutes=9))

    moved = _moved_by_host(booked, sandbox, now)

    hold.refresh_from_db()
    assert (moved.starts_at, moved.buffer_minutes, hold.state) == (NEW, 0, BookingState.HELD)


def test_buffer_comes_back_with_the_next_move(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _johns(NEW + HOUR)
    _moved_by_host(booked, sandbox, now)

    again = _moved_by_host(booked, sandbox, now, next_slot(11, days=6))

    assert again.buffer_minutes == 15


# Sessions do not


def test_conflict_is_followed_within_a_minute_once_nothing_is_in_the_way(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    other = _johns(NEW)
    _moved_by_host(booked, sandbox, now)
    assert calendar_findings(now) == {"UNKNOWN": 0.0, "MISSING": 0.0, "CONFLICT": 1.0, "IN_DOUBT": 0.0}
    other.cancel()
    other.save()

    poll_calendar_task()

    booked.refresh_from_db()
    assert (booked.starts_at, CalendarFinding.objects.get().settled_at is None) == (NEW, False)
    assert calendar_findings(now) == {"UNKNOWN": 0.0, "MISSING": 0.0, "CONFLICT": 0.0, "IN_DOUBT": 0.0}
    ask_agreement(now)


def test_conflict_that_moves_on_in_the_calendar_is_one(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    SessionOffer.objects.update(buffer_minutes=0)
    for starts_at in (NEW, NEW + HOUR):
        _johns(starts_at)
    _moved_by_host(booked, sandbox, now)
    uid = CalendarFinding.objects.get().calendar_uid
    last = sandbox.change_booking(uid, "reschedule", start=(NEW + HOUR).isoformat())["uid"]

    for _ in range(2):
        revisit_conflicts(now=now)

    assert list(CalendarFinding.objects.filter(settled_at=None).values_list("calendar_uid", flat=True)) == [last]


def test_conflict_looked_at_again_and_again_writes_nothing_new(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _johns(NEW)
    _moved_by_host(booked, sandbox, now)
    before = AuditEvent.objects.count(), _topics(), OutboxMessage.objects.count()

    for _ in range(3):
        revisit_conflicts(now=now)
        poll_calendar(now=now)

    assert (AuditEvent.objects.count(), _topics(), OutboxMessage.objects.count()) == before
    assert CalendarFinding.objects.get().settled_at is None


# One click: our time counts


def test_put_back_moves_it_in_the_calendar_and_settles(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _johns(NEW)
    _moved_by_host(booked, sandbox, now)
    finding = CalendarFinding.objects.get()

    for _ in range(2):
        request_put_back(finding_id=finding.id, actor="staff:1", now=now)
    asked = _topics()
    for _ in range(2):
        put_back(finding_id=finding.id, now=now)

    booked.refresh_from_db()
    finding.refresh_from_db()
    assert (asked, _topics()) == (["calendar.put_back"], ["calendar.put_back"])
    assert (booked.starts_at, finding.settled_at) == (next_slot(), now)
    assert _standing(sandbox) == [next_slot().strftime("%Y-%m-%dT%H:%M")]
    assert AuditEvent.objects.get(action="booking.put_back").actor == "staff:1"


def test_put_back_whose_answer_was_lost_is_done_once(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _johns(NEW)
    _moved_by_host(booked, sandbox, now)
    finding = CalendarFinding.objects.get()
    sandbox.fault("calcom", "drop", "bookings.reschedule")
    with pytest.raises(ProviderError):
        put_back(finding_id=finding.id, now=now)

    put_back(finding_id=finding.id, now=now)

    finding.refresh_from_db()
    assert (sandbox.calls("calcom.bookings.reschedule"), finding.settled_at) == (1, now)
    assert _standing(sandbox) == [next_slot().strftime("%Y-%m-%dT%H:%M")]


def test_put_back_follows_instead_when_the_way_is_free_by_then(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    other = _johns(NEW)
    _moved_by_host(booked, sandbox, now)
    other.cancel()
    other.save()

    put_back(finding_id=CalendarFinding.objects.get().id, now=now)

    booked.refresh_from_db()
    assert (booked.starts_at, sandbox.calls("calcom.bookings.reschedule")) == (NEW, 0)


def test_put_back_refuses_what_is_settled(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _johns(NEW)
    _moved_by_host(booked, sandbox, now)
    CalendarFinding.objects.update(settled_at=now)

    with pytest.raises(NotAConflict):
        request_put_back(finding_id=CalendarFinding.objects.get().id, actor="staff:1", now=now)


def test_clients_move_that_meets_a_conflict_ends_with_a_finding(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    """The therapist moved it onto another session while the client was moving it: no number of tries would help."""
    request_move(booking_id=booked.id, starts_at=next_slot(11, days=6), now=now)
    _johns(NEW)
    sandbox.change_booking(booked.calcom_booking_id or "", "reschedule", start=NEW.isoformat())

    move_in_calendar(booking_id=booked.id, timeout=5, now=now)

    assert (CalendarFinding.objects.get().kind, Booking.objects.filter(held_for=booked.id).count()) == ("CONFLICT", 0)
    assert "email.not_moved" in _topics()


def test_finding_page_names_what_is_in_the_way_and_puts_it_back(
    booked: Booking, sandbox: SandboxProcess, admin_client: Client, now: datetime
) -> None:
    other = _johns(NEW)
    _moved_by_host(booked, sandbox, now)
    finding = CalendarFinding.objects.get()
    page = admin_client.get(reverse("admin:bookings_calendarfinding_change", args=[finding.pk])).content.decode()
    data = {"action": "put_back", ACTION_CHECKBOX_NAME: str(finding.pk)}
    url = reverse("admin:bookings_calendarfinding_changelist")

    asked = admin_client.post(url, data).content.decode()
    done = admin_client.post(url, data | {"confirmed": "yes"}, follow=True).content.decode()

    assert (reverse("admin:bookings_booking_change", args=[other.pk]) in page, "John" in page) == (True, False)
    assert f"goes back to {local(next_slot()):%A %d %B, %H:%M}" in asked
    assert ("Being put back: 1." in done, _topics()) == (True, ["calendar.put_back"])


def test_what_cannot_be_put_back_is_settled_by_hand_on_record(
    booked: Booking, sandbox: SandboxProcess, admin_client: Client, now: datetime
) -> None:
    """The client was ill; the therapist has moved the hour that is over to next week."""
    Booking.objects.filter(id=booked.id).update(state=BookingState.COMPLETED)
    _moved_by_host(booked, sandbox, now)
    finding = CalendarFinding.objects.get()
    data = {"action": "settle_by_hand", ACTION_CHECKBOX_NAME: str(finding.pk), "confirmed": "yes"}
    url = reverse("admin:bookings_calendarfinding_changelist")

    pages = [admin_client.post(url, data, follow=True).content.decode() for _ in range(2)]

    finding.refresh_from_db()
    assert ("Settled: 1." in pages[0], "This is settled already." in pages[1]) == (True, True)
    assert (finding.settled_at is None, Booking.objects.get().starts_at) == (False, next_slot())
    assert AuditEvent.objects.get(action="calendar.finding_settled").target == f"booking:{booked.id}"


# Moves that nobody answers


def test_move_that_dies_gives_its_time_back_and_says_so(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    request_move(booking_id=booked.id, starts_at=NEW, now=now)
    OutboxMessage.objects.filter(topic="calendar.move").update(attempts=settings.OUTBOX_MAX_ATTEMPTS - 1)
    OutboxMessage.objects.exclude(topic="calendar.move").delete()
    sandbox.fault("calcom", "bare_500", "bookings.reschedule", times=None)

    deliver_due(now=now + timedelta(minutes=1), limit=1)
    dead = OutboxMessage.objects.get(topic="calendar.move")
    deliver_due(now=now + timedelta(minutes=12), limit=5)

    booked.refresh_from_db()
    mails = {mail["to"][0]: mail["text"] for mail in sandbox.mailbox()}
    assert (dead.state, booked.starts_at, Booking.objects.count()) == ("DEAD", next_slot(), 1)
    assert "Our calendar did not answer" in mails["jane@example.com"]
    assert "the appointment stays as it was" in mails[settings.PRACTICE_EMAIL]
    assert AuditEvent.objects.filter(action="booking.move_given_up").count() == 1


def test_move_that_died_and_was_carried_out_all_the_same_is_followed(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    request_move(booking_id=booked.id, starts_at=NEW, now=now)
    sandbox.fault("calcom", "drop", "bookings.reschedule")
    with pytest.raises(ProviderError):
        move_in_calendar(booking_id=booked.id, timeout=5, now=now)
    give_up_move(booking_id=booked.id, was_silent=True, now=now)

    poll_calendar(now=now)

    booked.refresh_from_db()
    assert (booked.starts_at, booked.state) == (NEW, BookingState.CONFIRMED)


def test_move_that_died_and_was_settled_meanwhile_tells_nobody(booked: Booking, now: datetime) -> None:
    give_up_move(booking_id=booked.id, was_silent=True, now=now)

    assert _topics() == []
