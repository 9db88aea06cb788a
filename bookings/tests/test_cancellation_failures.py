"""Cancelling while calendar or mail server are in trouble leaves no appointment behind and says nothing false."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import transaction

from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.cancellation import cancel_by_client, clear_calendar
from bookings.services.placement import place_in_calendar
from bookings.tests.builders import make_catalogue, make_payment, make_upcoming, make_wish, next_slot
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.models import Booking
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


def _pending(now: datetime) -> Booking:
    make_catalogue()
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    return book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)


def _statuses(sandbox: SandboxProcess) -> list[str]:
    return [item["status"] for item in sandbox.state()["calcom"]["bookings"]]


@pytest.mark.django_db
@pytest.mark.parametrize("pause", [timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=5)])
def test_clear_calendar_finds_what_an_unanswered_call_wrote_long_before_the_cancellation(
    pause: timedelta, sandbox: SandboxProcess, now: datetime
) -> None:
    booking = _pending(now)
    sandbox.fault("calcom", "drop", "bookings.create")
    with pytest.raises(ProviderError):
        place_in_calendar(booking_id=booking.id, timeout=5, now=now)
    cancel_by_client(booking_id=booking.id, now=now + pause)

    clear_calendar(booking_id=booking.id, now=now + pause + timedelta(minutes=2))

    assert _statuses(sandbox) == ["cancelled"]


@pytest.mark.django_db
@pytest.mark.parametrize("message", ["Cannot POST /v2/bookings/uid/cancel", "Event type with id 103 not found."])
def test_clear_calendar_does_not_take_a_wrong_address_for_a_cleared_calendar(
    message: str, sandbox: SandboxProcess, now: datetime
) -> None:
    booking = _pending(now)
    place_in_calendar(booking_id=booking.id, timeout=5, now=now)
    cancel_by_client(booking_id=booking.id, now=now)
    sandbox.fault("calcom", "status", "bookings.cancel", status=404, message=message)

    with pytest.raises(ProviderError):
        clear_calendar(booking_id=booking.id, now=now)
    clear_calendar(booking_id=booking.id, now=now)
    clear_calendar(booking_id=booking.id, now=now)

    assert _statuses(sandbox) == ["cancelled"]


@pytest.mark.django_db(transaction=True)
def test_cancellation_is_told_at_once_though_the_calendar_has_been_silent_for_long(
    sandbox: SandboxProcess, now: datetime
) -> None:
    booking = _pending(now)
    OutboxMessage.objects.filter(topic="calendar.create").update(due_at=now + timedelta(hours=1), attempts=12)

    cancel_by_client(booking_id=booking.id, now=now)
    deliver_due(now=now, limit=20)

    assert [mail["subject"] for mail in sandbox.mailbox()] == ["Your appointment is cancelled"]
    assert sandbox.calls("calcom.bookings.create") == 0


@pytest.mark.django_db(transaction=True)
def test_confirmation_that_was_held_up_is_not_sent_of_a_cancelled_session(
    sandbox: SandboxProcess, now: datetime
) -> None:
    booking = make_upcoming()
    _queue_confirmation(booking, now)
    cancel_by_client(booking_id=booking.id, now=now)

    deliver_due(now=now + timedelta(minutes=5), limit=20)

    assert [mail["subject"] for mail in sandbox.mailbox()] == ["Your appointment is cancelled"]


def _queue_confirmation(booking: Booking, now: datetime) -> None:
    with transaction.atomic():
        enqueue(topic="email.confirmation", lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)
