from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.models import Booking
from bookings.practice_time import local
from bookings.refusals import MoveUnderWay, NotCancellable, NotMovable, SlotNotOffered, SlotTaken
from bookings.services.booking import book_session
from bookings.services.cancellation import cancel_by_client, clear_calendar
from bookings.services.holds import expire_holds
from bookings.services.moving import move_in_calendar
from bookings.services.placement import place_in_calendar
from bookings.services.rescheduling import MoveTerms, move_of, move_terms, request_move
from bookings.states import BookingState, ImpossibleMove
from bookings.tests.builders import (
    JOHN,
    make_booking,
    make_catalogue,
    make_payment,
    make_upcoming,
    make_wish,
    next_slot,
)
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.catalogue.models import SessionOffer
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

LATER = timedelta(seconds=31)
NEW = next_slot(15, days=5)


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


@pytest.fixture
def booked(sandbox: SandboxProcess, now: datetime) -> Booking:
    """A session in the calendar, three days from now at ten."""
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    booking = book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)
    return place_in_calendar(booking_id=booking.id, timeout=5, now=now)


def _ask(booking: Booking, now: datetime, starts_at: datetime = NEW) -> Booking:
    return request_move(booking_id=booking.id, starts_at=starts_at, now=now)


def _move(booking: Booking, now: datetime) -> Booking:
    return move_in_calendar(booking_id=booking.id, timeout=5, now=now)


def _standing(sandbox: SandboxProcess) -> list[str]:
    return [item["start"] for item in sandbox.state()["calcom"]["bookings"] if item["status"] == "accepted"]


def _theirs(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _pending(booking: Booking) -> list[str]:
    found = OutboxMessage.objects.filter(state="PENDING", lane__startswith=booking.lane)
    return sorted(found.values_list("topic", flat=True))


# Asking


def test_request_move_keeps_both_times_and_changes_nothing_else(booked: Booking, now: datetime) -> None:
    before = Booking.objects.filter(id=booked.id).values().get()

    _ask(booked, now)

    hold = Booking.objects.get(held_for=booked.id)
    assert (hold.state, hold.starts_at, hold.ends_at) == (BookingState.HELD, NEW, NEW + timedelta(hours=1))
    assert (hold.customer_name, hold.customer_email, hold.payment, hold.consent) == ("", "", None, None)
    assert Booking.objects.filter(id=booked.id).values().get() == before
    assert "calendar.move" in _pending(booked)


def test_request_move_twice_is_once(booked: Booking, now: datetime) -> None:
    for _ in range(2):
        _ask(booked, now)

    assert (Booking.objects.count(), _pending(booked).count("calendar.move")) == (2, 1)


def test_request_move_to_where_it_is_does_nothing(booked: Booking, now: datetime) -> None:
    _ask(booked, now, booked.starts_at)

    assert (Booking.objects.count(), _pending(booked)) == (1, ["email.confirmation"])


def test_request_move_elsewhere_waits_for_the_first(booked: Booking, now: datetime) -> None:
    _ask(booked, now)

    with pytest.raises(MoveUnderWay):
        _ask(booked, now, next_slot(11, days=6))


def test_request_move_refuses_a_time_that_is_not_on_the_list(booked: Booking, now: datetime) -> None:
    with pytest.raises(SlotNotOffered):
        _ask(booked, now, next_slot(3, days=5))
    with pytest.raises(SlotNotOffered):
        _ask(booked, now, now - timedelta(hours=1))


def test_request_move_refuses_a_time_that_is_sold(booked: Booking, now: datetime) -> None:
    slot = local(NEW)
    make_booking(wish=make_wish(day=slot.date(), clock=slot.time(), customer=JOHN), state=BookingState.PENDING)

    with pytest.raises(SlotTaken):
        _ask(booked, now)

    assert move_of(booked) is None


@pytest.mark.parametrize("state", [BookingState.PENDING, BookingState.CANCELLED, BookingState.NO_SHOW])
def test_request_move_refuses_what_is_not_booked(state: BookingState, now: datetime) -> None:
    booking = make_upcoming(state)

    with pytest.raises(NotMovable):
        _ask(booking, now)


def test_move_terms_are_data(now: datetime) -> None:
    booking = make_upcoming()
    SessionOffer.objects.filter(id=booking.offer_id).update(moves_allowed=3, move_notice_hours=5)
    booking.offer.refresh_from_db()
    until = booking.starts_at - timedelta(hours=5)

    assert move_terms(booking, now=until) == MoveTerms(until, 3)
    assert move_terms(booking, now=until + timedelta(seconds=1)) is None
    booking.moves = 2
    assert move_terms(booking, now=now) == MoveTerms(until, 1)
    booking.moves = 3
    assert move_terms(booking, now=now) is None


def test_move_terms_end_when_the_session_begins_whatever_the_notice(now: datetime) -> None:
    booking = make_upcoming()
    booking.offer.move_notice_hours = 0

    assert move_terms(booking, now=booking.starts_at) is None


def test_expire_holds_leaves_the_new_time_alone(booked: Booking, now: datetime) -> None:
    _ask(booked, now)

    assert expire_holds(now=now + timedelta(hours=20)) == 0


def test_free_call_can_be_moved_too(sandbox: SandboxProcess, now: datetime) -> None:
    slot = local(next_slot())
    wish = make_wish(session_type="free", session_format=None, day=slot.date(), clock=slot.time())
    booking = place_in_calendar(booking_id=book_session(wish=wish, payment_id=None, now=now).id, timeout=5, now=now)

    _ask(booking, now)

    assert _move(booking, now).starts_at == NEW


# Moving


def test_move_in_calendar_takes_the_new_time_over(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _ask(booked, now)

    moved = _move(booked, now)

    moved.refresh_from_db()
    assert (moved.state, moved.starts_at, moved.ends_at) == (BookingState.CONFIRMED, NEW, NEW + timedelta(hours=1))
    assert (moved.session_date, moved.session_time) == (local(NEW).date(), local(NEW).time())
    assert (moved.moves, moved.sequence, moved.payment_id) == (1, 1, booked.payment_id)
    assert moved.calcom_booking_id not in {None, booked.calcom_booking_id}
    assert (Booking.objects.count(), _standing(sandbox)) == (1, [_theirs(NEW)])


def test_move_in_calendar_tells_the_client_once(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    deliver_due(now=now + timedelta(seconds=1), limit=20)
    _ask(booked, now)
    for _ in range(2):
        _move(booked, now)

    deliver_due(now=now + timedelta(minutes=2), limit=20)

    (mail,) = [mail for mail in sandbox.mailbox() if mail["subject"] == "Your appointment has a new time"]
    assert f"{local(NEW):%-I:%M %p}".replace("AM", "AM") in mail["text"]
    ics = mail["attachments"][0]["text"]
    assert ("SEQUENCE:1" in ics, f"UID:{booked.id}@" in ics.replace("\r\n ", "")) == (True, True)


def test_move_in_calendar_is_on_record(booked: Booking, now: datetime) -> None:
    _ask(booked, now)
    _move(booked, now)

    event = AuditEvent.objects.get(action="booking.moved")
    assert (event.actor, event.target) == ("client", f"booking:{booked.id}")
    assert event.details == {"from": booked.starts_at.isoformat(), "to": NEW.isoformat()}


@pytest.mark.parametrize("form", ["text", "bare"])
def test_refused_move_leaves_the_session_untouched(
    form: str, booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    before = Booking.objects.filter(id=booked.id).values().get()
    _ask(booked, now)
    sandbox.fault("calcom", "slot_taken", "bookings.reschedule", form=form)

    _move(booked, now)

    assert (Booking.objects.count(), Booking.objects.filter(id=booked.id).values().get()) == (1, before)
    assert _standing(sandbox) == [_theirs(booked.starts_at)]
    assert "calendar.move" not in _pending(booked)


def test_refused_move_is_told_by_mail_unless_the_client_chose_again(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    subject = "Your appointment stays at its time"
    _ask(booked, now)
    sandbox.fault("calcom", "slot_taken", "bookings.reschedule")
    _move(booked, now)
    _ask(booked, now, next_slot(11, days=6))
    _move(booked, now)

    deliver_due(now=now + timedelta(minutes=12), limit=20)
    assert subject not in [mail["subject"] for mail in sandbox.mailbox()]

    _ask(booked, now)
    sandbox.fault("calcom", "slot_taken", "bookings.reschedule")
    _move(booked, now + timedelta(minutes=12))
    deliver_due(now=now + timedelta(minutes=30), limit=20)
    assert [mail["subject"] for mail in sandbox.mailbox()].count(subject) == 1


def test_move_finds_what_a_lost_answer_did(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _ask(booked, now)
    sandbox.fault("calcom", "drop", "bookings.reschedule")

    with pytest.raises(ProviderError):
        _move(booked, now)
    with pytest.raises(RetryLater):
        _move(booked, now + timedelta(seconds=10))
    moved = _move(booked, now + LATER)

    assert (moved.starts_at, moved.moves, _standing(sandbox)) == (NEW, 1, [_theirs(NEW)])
    assert sandbox.calls("calcom.bookings.reschedule") == 1


def test_move_is_made_again_when_nothing_was_done(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _ask(booked, now)
    sandbox.fault("calcom", "refuse", "bookings.reschedule")

    with pytest.raises(ProviderError):
        _move(booked, now)
    moved = _move(booked, now + LATER)

    assert (moved.starts_at, _standing(sandbox)) == (NEW, [_theirs(NEW)])


def test_move_believes_taken_after_an_unanswered_call_only_when_seen_often(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _ask(booked, now)
    sandbox.fault("calcom", "refuse", "bookings.reschedule")
    with pytest.raises(ProviderError):
        _move(booked, now)
    sandbox.fault("calcom", "slot_taken", "bookings.reschedule", times=None)

    for count in (1, 2):
        with pytest.raises(RetryLater):
            _move(booked, now + count * LATER)
    stayed = _move(booked, now + 3 * LATER)

    assert (stayed.starts_at, move_of(stayed)) == (booked.starts_at, None)


def test_move_after_too_many_calls_was_not_made(booked: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _ask(booked, now)
    sandbox.fault("calcom", "rate_limited", "bookings.reschedule")

    with pytest.raises(ProviderError):
        _move(booked, now)

    hold = move_of(booked)
    assert hold is not None
    assert hold.calendar_asked_at is None


def test_move_of_what_the_therapist_moved_meanwhile_follows_the_therapist(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    theirs = next_slot(11, days=7)
    _ask(booked, now)
    sandbox.change_booking(booked.calcom_booking_id or "", "reschedule", start=theirs.isoformat())

    moved = _move(booked, now)

    assert (moved.starts_at, moved.moves, move_of(moved)) == (theirs, 0, None)
    assert _standing(sandbox) == [_theirs(theirs)]


def test_move_of_what_the_therapist_cancelled_meanwhile_releases_the_money(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _ask(booked, now)
    sandbox.change_booking(booked.calcom_booking_id or "", "cancel")

    cancelled = _move(booked, now)

    assert (cancelled.state, cancelled.payment_released_at is not None) == (BookingState.CANCELLED, True)


def test_cancelled_while_its_move_was_unanswered_stands_nowhere(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _ask(booked, now)
    sandbox.fault("calcom", "drop", "bookings.reschedule")
    with pytest.raises(ProviderError):
        _move(booked, now)
    cancel_by_client(booking_id=booked.id, now=now)

    assert _move(booked, now + LATER).state == BookingState.CANCELLED
    clear_calendar(booking_id=booked.id, now=now + LATER)

    assert (_standing(sandbox), Booking.objects.count()) == ([], 1)


def test_cancelled_waits_for_a_move_that_may_still_come_to_light(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _ask(booked, now)
    sandbox.fault("calcom", "refuse", "bookings.reschedule")
    with pytest.raises(ProviderError):
        _move(booked, now)
    cancel_by_client(booking_id=booked.id, now=now)

    with pytest.raises(RetryLater):
        clear_calendar(booking_id=booked.id, now=now + LATER)
    clear_calendar(booking_id=booked.id, now=now + 2 * LATER)

    assert (_standing(sandbox), Booking.objects.count()) == ([], 1)


def test_cancelled_before_its_move_was_asked_for_frees_the_other_time_at_once(booked: Booking, now: datetime) -> None:
    _ask(booked, now)

    cancel_by_client(booking_id=booked.id, now=now)

    assert (Booking.objects.count(), _pending(booked).count("calendar.move")) == (1, 0)


def test_cancelled_after_the_therapist_moved_it_is_taken_out_where_it_stands(
    booked: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    sandbox.change_booking(booked.calcom_booking_id or "", "reschedule", start=NEW.isoformat())
    cancel_by_client(booking_id=booked.id, now=now)

    clear_calendar(booking_id=booked.id, now=now)

    assert _standing(sandbox) == []


@pytest.mark.parametrize("state", [BookingState.EXPIRED, BookingState.CANCELLED])
def test_move_whose_new_time_was_let_go_is_not_carried_out_and_leaves_room_for_another(
    booked: Booking, sandbox: SandboxProcess, now: datetime, state: BookingState
) -> None:
    _ask(booked, now)
    Booking.objects.filter(held_for=booked.id).update(state=state)

    stayed = _move(booked, now + LATER)
    _ask(booked, now, next_slot(11, days=6))

    assert (move_of(booked) is None, stayed.starts_at) == (False, booked.starts_at)
    assert (sandbox.calls("calcom.bookings.reschedule"), Booking.objects.filter(held_for=booked.id).count()) == (0, 1)


def test_cancel_by_client_refuses_the_hold_of_a_move(booked: Booking, now: datetime) -> None:
    _ask(booked, now)
    hold = Booking.objects.get(held_for=booked.id)

    with pytest.raises(NotCancellable):
        cancel_by_client(booking_id=hold.id, now=now, actor="staff:1")

    assert Booking.objects.get(id=hold.id).state == BookingState.HELD


def test_booking_move_is_for_what_stands() -> None:
    booking = Booking(state=BookingState.PENDING)

    with pytest.raises(ImpossibleMove):
        booking.move(starts_at=NEW, calendar_uid="uid")
