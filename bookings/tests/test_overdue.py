from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.credits import credit_of
from bookings.letters import slot_lost_letter
from bookings.models import Booking
from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.overdue import give_up_overdue, try_dead_again
from bookings.services.placement import place_in_calendar
from bookings.states import BookingState
from bookings.tests.builders import make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

HOUR = timedelta(hours=1)
LATER = timedelta(seconds=31)


@pytest.fixture
def pending(db: None, now: datetime) -> Booking:
    make_catalogue()
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    return book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)


def _asked_in_vain(booking: Booking, sandbox: SandboxProcess, now: datetime, fault: str, **more: int) -> None:
    sandbox.fault("calcom", fault, "bookings.create", **more)
    with pytest.raises(ProviderError):
        place_in_calendar(booking_id=booking.id, timeout=5, now=now)


def _state(booking: Booking) -> str:
    booking.refresh_from_db()
    return booking.state


@pytest.mark.parametrize("status", [401, 403])
def test_key_that_is_refused_until_the_session_begins_frees_the_money(
    status: int, pending: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _asked_in_vain(pending, sandbox, now, "status", status=status)
    begins = pending.starts_at

    before = give_up_overdue(now=begins - timedelta(seconds=1))
    given_up = [give_up_overdue(now=begins) for _ in range(2)]

    credit = credit_of(Booking.objects.get(id=pending.id))
    assert (before, given_up, _state(pending)) == (0, [1, 0], BookingState.REJECTED)
    assert (credit and credit.payment.id) == (pending.payment and pending.payment.id)
    assert OutboxMessage.objects.filter(topic="email.slot_lost", state="PENDING").count() == 1
    assert not OutboxMessage.objects.filter(topic="calendar.create", state="PENDING").exists()
    assert AuditEvent.objects.get(action="booking.rejected").actor == "system"


def test_key_that_is_mended_before_the_session_books_it(
    pending: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    sandbox.fault("calcom", "status", "bookings.create", status=401, times=2)
    topic = OutboxMessage.objects.filter(topic="calendar.create")
    states = []
    for _ in range(3):
        topic.update(due_at=now)
        deliver_due(now=now, limit=10)
        states.append((topic.get().state, _state(pending)))

    assert states == [("PENDING", "PENDING"), ("PENDING", "PENDING"), ("DELIVERED", "CONFIRMED")]


def test_dead_creates_are_tried_again_once_an_hour(pending: Booking, now: datetime) -> None:
    OutboxMessage.objects.filter(topic="calendar.create").update(state="DEAD", finished_at=now)

    counts = [try_dead_again(now=now + after) for after in (HOUR - LATER, HOUR, HOUR)]

    assert (counts, OutboxMessage.objects.get(topic="calendar.create").state) == ([0, 1, 0], "PENDING")


def test_dead_creates_of_what_is_not_waited_for_stay_dead(pending: Booking, now: datetime) -> None:
    OutboxMessage.objects.filter(topic="calendar.create").update(state="DEAD", finished_at=now)
    late = try_dead_again(now=pending.starts_at)
    Booking.objects.update(state=BookingState.REJECTED)

    assert (late, try_dead_again(now=now + HOUR)) == (0, 0)


def test_unanswered_create_that_stands_in_the_calendar_has_its_session(
    pending: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _asked_in_vain(pending, sandbox, now, "drop")

    assert give_up_overdue(now=pending.starts_at) == 0
    assert _state(pending) == BookingState.CONFIRMED


def test_unanswered_create_that_does_not_stand_there_is_given_up(
    pending: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _asked_in_vain(pending, sandbox, now, "refuse")

    assert (give_up_overdue(now=pending.starts_at), _state(pending)) == (1, BookingState.REJECTED)


def test_unanswered_create_is_waited_for_a_moment(pending: Booking, sandbox: SandboxProcess, now: datetime) -> None:
    _asked_in_vain(pending, sandbox, now, "refuse")
    Booking.objects.update(calendar_asked_at=pending.starts_at)

    assert (give_up_overdue(now=pending.starts_at + LATER), sandbox.calls("calcom.bookings.list")) == (0, 0)


def test_calendar_that_cannot_be_asked_is_waited_for_a_day(
    pending: Booking, sandbox: SandboxProcess, now: datetime
) -> None:
    _asked_in_vain(pending, sandbox, now, "refuse")
    sandbox.fault("calcom", "status", "bookings.list", status=401, times=None)

    day = timedelta(days=1)
    counts = [give_up_overdue(now=pending.starts_at + after) for after in (HOUR, day - LATER, day)]

    assert (counts, _state(pending)) == ([0, 0, 1], BookingState.REJECTED)


def test_slot_lost_letter_says_that_the_calendar_did_not_take_it_in_time(pending: Booking, now: datetime) -> None:
    Payment.objects.update(captured_at=now)
    give_up_overdue(now=pending.starts_at)
    pending.refresh_from_db()
    assert pending.payment is not None

    letter = slot_lost_letter(pending, payment_id=pending.payment.id, now=pending.starts_at)

    assert letter is not None
    assert letter.context["why"] == "unconfirmed"
