from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.urls import reverse

from bookings.handlers import send_confirmation
from bookings.practice_time import local
from bookings.services.cancellation import cancel_by_client
from bookings.states import BookingState
from bookings.tests.builders import make_payment, make_upcoming
from mindfulqalb.audit.services import record_read
from mindfulqalb.outbox.registry import Delivery
from mindfulqalb.staff.roles import ADMINISTRATOR, FINANCE, FRONT_DESK
from mindfulqalb.staff.tests.builders import make_member
from payments.timeline import purchases_of, story_of

if TYPE_CHECKING:
    from django.test import Client

    from payments.models import Payment

pytestmark = pytest.mark.django_db


def _told(payment: Payment) -> set[str]:
    return {chapter.what for chapter in story_of(payment, purchases_of(payment))}


def test_timeline_of_a_payment_tells_of_its_session_receipt_and_mails(sandbox: object) -> None:
    payment = make_payment()
    booking, now = make_upcoming(payment=payment), datetime.now(UTC)
    send_confirmation(Delivery(uuid4(), "x", "x:1", {"booking_id": str(booking.id)}, 1, now))
    cancel_by_client(booking_id=booking.id, now=now)

    assert _told(payment) == {
        "The client was asked to pay INR 1,299.00 by Razorpay",
        "Mail sent: the session is confirmed",
        "A receipt was issued",
        "Mail sent: the receipt",
        "Cancelled",
        "A refund was asked for",
        "To be done: take it out of the calendar",
        "To be done: tell the client that it is cancelled",
        "To be done: have the gateway send the money back",
    }


def test_timeline_of_a_payment_tells_of_the_hold_that_it_was_made_for() -> None:
    hold = make_upcoming(BookingState.CONFIRMED)
    payment = make_payment(reference=str(hold.id), state="CREATED", provider_payment_id=None)
    cancel_by_client(booking_id=hold.id, now=datetime.now(UTC))

    assert "Cancelled" in _told(payment)


def test_timeline_of_money_that_came_twice_tells_of_the_session_that_the_first_bought() -> None:
    first = make_payment()
    booking = make_upcoming(payment=first)
    second = make_payment(duplicate_of=first, provider_payment_id="pay_second")
    cancel_by_client(booking_id=booking.id, now=datetime.now(UTC))

    assert "Cancelled" in _told(second)


def test_timeline_of_a_payment_tells_nothing_of_others() -> None:
    cancel_by_client(booking_id=make_upcoming(payment=make_payment()).id, now=datetime.now(UTC))

    assert _told(make_payment()) == {"The client was asked to pay INR 1,299.00 by Razorpay"}


def test_timeline_of_a_payment_keeps_what_staff_wrote_about_a_client() -> None:
    payment = make_payment()
    booking = make_upcoming(payment=payment)
    member = make_member(FRONT_DESK)
    record_read(
        actor=f"staff:{member.id}",
        target=f"booking:{booking.id}",
        fields=["email"],
        reason="Jane called",
        now=datetime.now(UTC),
    )

    [read] = [each for each in story_of(payment, purchases_of(payment)) if each.by]

    assert (read.what, read.by, read.more) == ("The client's details were looked at", str(member.get_full_name()), "")


@pytest.mark.parametrize(("role", "is_linked"), [(FINANCE, False), (ADMINISTRATOR, True)])
def test_payments_page_names_the_session_and_leads_there_whoever_may_go(
    client: Client, role: str, is_linked: bool
) -> None:
    payment = make_payment()
    booking = make_upcoming(BookingState.CONFIRMED, payment=payment)
    client.force_login(make_member(role))

    page = client.get(reverse("admin:payments_payment_change", args=[payment.id])).content.decode()

    when = f"{local(booking.starts_at):%A %d %B %Y, %H:%M}"
    link = f'<a href="{reverse("admin:bookings_booking_change", args=[booking.id])}">'
    title = f"{when}: {booking.offer.title} (Confirmed)"
    assert (f"<li>{link}{title}</a></li>" in page, f"<li>{title}</li>" in page) == (is_linked, not is_linked)


def test_payments_page_says_that_no_session_was_bought_yet(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:payments_payment_change", args=[make_payment().id])).content.decode()

    assert "No session yet." in page
