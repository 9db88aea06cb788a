"""A session's story: in order, in words, on the practice's clock, and without money for those whose work it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking
from bookings.practice_time import local
from bookings.services.cancellation import cancel_by_client, cancel_by_practice
from bookings.services.rescheduling import request_move
from bookings.states import BookingState
from bookings.story import story_of
from bookings.tests.builders import JANE, make_payment, make_upcoming, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import erase_payloads, record, record_read
from mindfulqalb.mail.models import SentMail
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.staff.roles import ADMINISTRATOR, FRONT_DESK
from mindfulqalb.staff.tests.builders import make_member
from mindfulqalb.webhooks.models import WebhookDelivery

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

QUERIES = 7


def _told(booking: Booking, *, with_money: bool = True) -> list[tuple[str, str, str]]:
    return [(each.what, each.by, each.more) for each in story_of(booking, with_money=with_money)]


def _mail(booking: Booking, at: datetime) -> None:
    about = f"booking:{booking.id}"
    key = OutboxMessage._meta.pk.get_default()
    SentMail.objects.create(
        key=key, template="slot_lost", about=about, recipient_hash="0" * 64, content=JANE.name, sent_at=at
    )


def _hear(booking: Booking, at: datetime) -> None:
    WebhookDelivery.objects.create(
        vendor="calcom",
        event_id="evt_1",
        event_type="BOOKING_CANCELLED",
        body=JANE.email,
        body_digest="0" * 64,
        about=f"booking:{booking.id}",
        received_at=at,
    )


def test_story_tells_of_acts_mails_webhooks_and_what_is_left_to_do_in_order() -> None:
    booking, now = make_upcoming(), timezone.now()
    _hear(booking, now - timedelta(minutes=2))
    _mail(booking, now - timedelta(minutes=1))
    cancel_by_client(booking_id=booking.id, now=now)
    OutboxMessage.objects.filter(topic="email.cancelled").update(
        state=State.DEAD, finished_at=now + timedelta(hours=1), attempts=12, last_error="mail server answered 554"
    )

    assert _told(booking) == [
        ("Cal.com told us: the appointment was cancelled", "", ""),
        ("Mail sent: the time is taken, and another can be chosen", "", ""),
        ("Cancelled", "the client", "no refund with it"),
        ("To be done: take it out of the calendar", "", ""),
        ("Given up: tell the client that it is cancelled", "", "tried 12 times, last: mail server answered 554"),
    ]


def test_story_names_staff_and_their_reasons() -> None:
    booking, now = make_upcoming(), timezone.now()
    member = make_member(FRONT_DESK, last_name="Rao")
    target = f"booking:{booking.id}"
    record_read(actor=f"staff:{member.id}", target=target, fields=["email"], reason="A call", now=now)
    record(action="booking.something_new", actor="staff:1", target=target, now=now + timedelta(seconds=1))

    assert _told(booking) == [
        ("The client's details were looked at", "Meera Rao", "because: A call"),
        ("Booking something new", "staff:1", ""),
    ]


def test_story_tells_times_on_the_practices_clock(sandbox: object) -> None:
    booking = make_upcoming()
    other = next_slot(15)
    request_move(booking_id=booking.id, starts_at=other, now=datetime.now(UTC))

    [(what, _, more), *_] = _told(booking)

    times = [f"{local(moment):%a %d %b %Y, %H:%M}" for moment in (booking.starts_at, other)]
    assert (what, more) == ("Another time was asked for", f"from {times[0]}, to {times[1]}")


def test_story_speaks_of_money_only_to_those_whose_work_it_is() -> None:
    booking = make_upcoming(payment=make_payment())
    cancel_by_client(booking_id=booking.id, now=timezone.now())

    whole, without = _told(booking), _told(booking, with_money=False)

    assert ("Cancelled", "the client", "100 % of the price goes back") in whole
    assert ("A refund was asked for", "the client", "INR 1,299.00, cancelled by the client") in whole
    assert [part for part in without if "refund" in part[0] or "INR" in part[2] or "%" in part[2]] == []
    assert ("Cancelled", "the client", "") in without


def test_story_survives_that_payloads_were_erased() -> None:
    booking = make_upcoming(payment=make_payment())
    cancel_by_client(booking_id=booking.id, now=timezone.now())
    ids = list(AuditEvent.objects.values_list("id", flat=True))
    erase_payloads(event_ids=ids, rule="test", actor="system", now=timezone.now())

    told = _told(booking)
    assert ("Cancelled", "the client", "") in told
    assert ("A refund was asked for", "the client", "") in told


def test_story_tells_nothing_of_others() -> None:
    cancel_by_practice(booking_id=make_upcoming(payment=make_payment()).id, actor="staff:1", now=timezone.now())

    assert _told(make_upcoming(hour=14)) == []


@pytest.mark.parametrize("count", [1, 3])
def test_story_takes_the_same_queries_however_long_it_is(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    booking, now = make_upcoming(payment=make_payment()), timezone.now()
    for number in range(count):
        member = make_member(username=f"m{number}")
        record(action="booking.seen", actor=f"staff:{member.id}", target=f"booking:{booking.id}", now=now)
        _mail(booking, now)
    booking = Booking.objects.get(id=booking.id)

    with django_assert_num_queries(QUERIES):
        assert len(story_of(booking, with_money=True)) == 2 * count


@pytest.mark.parametrize(("role", "shown"), [(FRONT_DESK, False), (ADMINISTRATOR, True)])
def test_page_tells_the_story_and_no_client(client: Client, role: str, shown: bool) -> None:
    booking = make_upcoming(BookingState.CONFIRMED, payment=make_payment())
    cancel_by_client(booking_id=booking.id, now=timezone.now())
    client.force_login(make_member(role))

    page = client.get(reverse("admin:bookings_booking_change", args=[booking.id])).content.decode()

    assert ("<strong>Cancelled</strong> by the client" in page, "INR 1,299.00" in page) == (True, shown)
    assert JANE.name not in page
