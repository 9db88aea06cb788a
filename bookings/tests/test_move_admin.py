"""Staff move a session: they choose among the free times, and the client's own moves are not counted for it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from bookings.models import Booking
from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.moving import move_in_calendar
from bookings.services.placement import place_in_calendar
from bookings.services.rescheduling import asked_by, move_of, request_move
from bookings.states import BookingState
from bookings.tests.builders import make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.staff.roles import FRONT_DESK, THERAPIST
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from datetime import datetime

    from django.test import Client

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess
    from mindfulqalb.staff.models import StaffMember

NEW = next_slot(15, days=5)
DAY = local(NEW).date().isoformat()


@pytest.fixture
def booked(transactional_db: None, sandbox: SandboxProcess, now: datetime) -> Booking:
    make_catalogue()
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    booking = book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)
    return place_in_calendar(booking_id=booking.id, timeout=5, now=now)


@pytest.fixture
def omar(booked: Booking, client: Client) -> StaffMember:
    """Somebody at the front desk, logged in."""
    member = make_member(FRONT_DESK)
    client.force_login(member)
    return member


def _path(booking: Booking, page: str = "move") -> str:
    return reverse(f"admin:bookings_booking_{page}", args=[booking.pk])


def _press(client: Client, booking: Booking, start: str) -> str:
    return client.post(_path(booking), {"start": start}, follow=True).content.decode()


@pytest.mark.usefixtures("omar")
def test_page_offers_the_free_times_of_a_day(client: Client, booked: Booking) -> None:
    page = client.get(f"{_path(booked)}?day={DAY}").content.decode()

    choices = re.findall(r'name="start" value="([^"]+)"', page)
    assert (local(NEW).isoformat() in choices, {choice[:10] for choice in choices}) == (True, {DAY})
    assert _path(booked) in client.get(_path(booked, "change")).content.decode()


def test_page_moves_on_record_and_leaves_the_clients_own_moves(
    client: Client, booked: Booking, omar: StaffMember
) -> None:
    pages = [_press(client, booked, NEW.isoformat()) for _ in range(2)]

    booked.refresh_from_db()
    said = f"It now takes place on {local(NEW):%A %d %B %Y, %H:%M}; the client gets a mail."
    assert [said in page for page in pages] == [True, True]
    assert (booked.starts_at, booked.moves, booked.state) == (NEW, 0, BookingState.CONFIRMED)
    assert list(AuditEvent.objects.filter(action="booking.moved").values_list("actor", flat=True)) == [
        f"staff:{omar.pk}"
    ]
    assert OutboxMessage.objects.filter(topic="email.moved").count() == 1


@pytest.mark.usefixtures("omar")
@pytest.mark.parametrize(
    "start", ["", "tomorrow", "2026-12-04T10:00:00", "2026-12-04T10:00:00+99:00", "9999-12-31T23:59:59-14:00"]
)
def test_page_asks_again_for_a_time_that_is_none(start: str, client: Client, booked: Booking) -> None:
    assert "Please choose a time." in _press(client, booked, start)


@pytest.mark.usefixtures("omar")
def test_page_refuses_a_time_that_is_not_offered(client: Client, booked: Booking) -> None:
    page = _press(client, booked, (NEW + timedelta(minutes=7)).isoformat())

    booked.refresh_from_db()
    assert ("cannot be booked" in page, booked.starts_at) == (True, next_slot())


@pytest.mark.usefixtures("omar")
def test_page_says_that_the_calendar_is_silent(client: Client, booked: Booking, sandbox: SandboxProcess) -> None:
    sandbox.fault("calcom", "bare_500", "slots.list", times=None)

    page = client.get(_path(booked)).content.decode()

    assert "The calendar cannot be reached just now." in page


@pytest.mark.usefixtures("omar")
@pytest.mark.parametrize("state", [BookingState.CANCELLED, BookingState.COMPLETED])
def test_page_leads_back_from_what_cannot_be_moved(state: BookingState, client: Client, booked: Booking) -> None:
    Booking.objects.filter(pk=booked.pk).update(state=state)

    chosen = {"start": NEW.isoformat()}
    pages = [client.get(_path(booked), follow=True), client.post(_path(booked), chosen, follow=True)]

    assert [page.redirect_chain[-1][0] for page in pages] == [_path(booked, "change")] * 2
    assert ["can be moved" in pages[0].content.decode(), "cannot be moved" in pages[1].content.decode()] == [True, True]


def test_page_is_closed_to_who_may_not_move(client: Client, booked: Booking) -> None:
    member = make_member(THERAPIST)
    booked.therapist.member = member
    booked.therapist.save()
    client.force_login(member)

    answers = [client.get(_path(booked)), client.post(_path(booked), {"start": NEW.isoformat()})]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert _path(booked) not in client.get(_path(booked, "change")).content.decode()


def test_practice_moves_what_the_client_may_move_no_more(booked: Booking, now: datetime) -> None:
    Booking.objects.filter(pk=booked.pk).update(moves=99)

    request_move(booking_id=booked.id, starts_at=NEW, actor="staff:1", now=now)
    moved = move_in_calendar(booking_id=booked.id, timeout=5, now=now)

    assert (moved.starts_at, moved.moves) == (NEW, 99)


@pytest.mark.parametrize(("actor", "told"), [("staff:1", 0), ("client", 1)])
def test_only_who_asked_hears_that_the_calendar_refused(
    actor: str, told: int, booked: Booking, now: datetime, sandbox: SandboxProcess
) -> None:
    request_move(booking_id=booked.id, starts_at=NEW, actor=actor, now=now)
    sandbox.fault("calcom", "slot_taken", "bookings.reschedule")

    moved = move_in_calendar(booking_id=booked.id, timeout=5, now=now)

    assert (moved.starts_at, move_of(booked), asked_by(booked)) == (next_slot(), None, actor)
    assert OutboxMessage.objects.filter(topic="email.not_moved").count() == told
