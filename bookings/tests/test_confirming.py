"""Confirm again: the calendar is asked at once, or the mail goes once more; nothing is booked or sent twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from bookings.refusals import AlreadyBeingConfirmed, NotConfirmable
from bookings.services.confirming import confirm_again
from bookings.states import BookingState
from bookings.tests.builders import make_catalogue, make_upcoming
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.outbox.states import State

if TYPE_CHECKING:
    from datetime import datetime

    from django.test import Client

    from bookings.models import Booking

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _again(booking: Booking, now: datetime) -> Booking:
    return confirm_again(booking_id=booking.id, actor="staff:1", now=now)


def _messages(booking: Booking) -> list[tuple[str, str, datetime]]:
    found = OutboxMessage.objects.filter(lane=booking.lane).order_by("sequence")
    return list(found.values_list("topic", "state", "due_at"))


def _waiting(booking: Booking, now: datetime) -> OutboxMessage:
    payload = {"booking_id": str(booking.id)}
    return enqueue(
        topic="calendar.create", lane=booking.lane, payload=payload, now=now, due_at=now + timedelta(minutes=50)
    )


def test_confirm_again_has_the_calendar_asked_at_once(now: datetime) -> None:
    booking = make_upcoming(BookingState.PENDING)
    _waiting(booking, now)

    for _ in range(2):
        _again(booking, now)

    assert _messages(booking) == [("calendar.create", State.PENDING, now)]


def test_confirm_again_revives_what_was_given_up(now: datetime) -> None:
    booking = make_upcoming(BookingState.PENDING)
    dead = _waiting(booking, now)
    OutboxMessage.objects.filter(id=dead.id).update(state=State.DEAD, finished_at=now, attempts=9)

    _again(booking, now)

    dead.refresh_from_db()
    assert (dead.state, dead.due_at, dead.attempts) == (State.PENDING, now, 0)


def test_confirm_again_asks_where_nobody_asks_any_more(now: datetime) -> None:
    booking = make_upcoming(BookingState.PENDING)

    _again(booking, now)

    assert _messages(booking) == [("calendar.create", State.PENDING, now)]


def test_confirm_again_mails_what_stands_once_for_two_clicks(now: datetime) -> None:
    booking = make_upcoming()

    _again(booking, now)
    with pytest.raises(AlreadyBeingConfirmed):
        _again(booking, now)

    assert _messages(booking) == [("email.confirmation", State.PENDING, now)]
    again = AuditEvent.objects.filter(action="booking.confirmed_again")
    assert list(again.values_list("actor", flat=True)) == ["staff:1"]


@pytest.mark.parametrize("state", [BookingState.CANCELLED, BookingState.REJECTED, BookingState.COMPLETED])
def test_confirm_again_refuses_what_is_not_to_come(state: BookingState, now: datetime) -> None:
    with pytest.raises(NotConfirmable):
        _again(make_upcoming(state), now)


def test_confirm_again_refuses_what_has_begun(now: datetime) -> None:
    booking = make_upcoming()

    with pytest.raises(NotConfirmable):
        _again(booking, booking.starts_at)


def test_action_asks_first_and_says_what_happened(admin_client: Client, now: datetime) -> None:
    booking = make_upcoming()
    chosen = {"action": "confirm_again", "_selected_action": str(booking.pk)}
    address = reverse("admin:bookings_booking_changelist")

    asked, done, again = (
        admin_client.post(address, chosen | more, follow=True).content.decode()
        for more in ({}, {"confirmed": "yes"}, {"confirmed": "yes"})
    )

    assert ["Yes, confirm again" in asked, "Confirmed again: 1." in done, "on its way already" in again] == [True] * 3
    assert len(_messages(booking)) == 1
