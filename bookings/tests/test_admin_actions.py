"""What staff do with a click: ask first, do once, say what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_payment, make_upcoming, make_wish
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.models import StaffMember
from payments.models import Payment, Refund
from payments.refunds import request_refund
from payments.states import RefundReason, RefundState

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def _press(client: Client, model: str, action: str, row: Booking | Payment | Refund, **more: str) -> str:
    """Choose a row and an action, follow to the end, and return the page."""
    data = {"action": action, ACTION_CHECKBOX_NAME: str(row.pk)} | more
    response = client.post(reverse(f"admin:{model}_changelist"), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def _booked() -> Booking:
    return make_booking(state=BookingState.CONFIRMED, calcom_booking_id="uid-1", payment=make_payment())


def test_cancel_for_practice_asks_and_does_nothing_yet(admin_client: Client) -> None:
    page = _press(admin_client, "bookings_booking", "cancel_for_practice", _booked())

    assert ("Friday 04 December 2026, 10:00: Individual session, confirmed" in page, Refund.objects.count()) == (
        True,
        0,
    )
    assert "Jane" not in page


def test_cancel_for_practice_confirmed_cancels_on_record(admin_client: Client, admin_user: StaffMember) -> None:
    booking = _booked()

    page = _press(admin_client, "bookings_booking", "cancel_for_practice", booking, confirmed="yes")

    booking.refresh_from_db()
    event = AuditEvent.objects.get(action="booking.cancelled")
    assert (booking.state, event.actor, Refund.objects.count()) == (
        BookingState.CANCELLED,
        f"staff:{admin_user.pk}",
        0,
    )
    assert "Sessions cancelled: 1." in page


def test_cancel_for_practice_says_what_it_could_not_cancel(admin_client: Client) -> None:
    rejected = make_booking(state=BookingState.REJECTED)

    page = _press(admin_client, "bookings_booking", "cancel_for_practice", rejected, confirmed="yes")

    assert ("cannot be cancelled any more" in page, "Sessions cancelled" in page) == (True, False)


def test_cancel_because_the_client_asks_says_what_the_policy_gives_back(admin_client: Client) -> None:
    booking = make_upcoming(payment=make_payment())
    late = timezone.now() + timedelta(hours=2)
    Booking.objects.update(starts_at=late, ends_at=late + timedelta(minutes=50))

    asked = _press(admin_client, "bookings_booking", "cancel_for_client", booking)

    booking.refresh_from_db()
    assert ("INR 649.50 goes back (50 %)" in asked, booking.state) == (True, BookingState.CONFIRMED)


def test_cancel_because_the_client_asks_refunds_by_the_policy_once(
    admin_client: Client, admin_user: StaffMember
) -> None:
    booking = make_upcoming(payment=make_payment())

    pages = [_press(admin_client, "bookings_booking", "cancel_for_client", booking, confirmed="yes") for _ in range(2)]

    refund = Refund.objects.get()
    booking.refresh_from_db()
    assert (booking.state, refund.amount_minor, refund.reason) == ("CANCELLED", 129900, "cancelled_by_client")
    assert {refund.actor, AuditEvent.objects.get(action="booking.cancelled").actor} == {f"staff:{admin_user.pk}"}
    assert "Sessions cancelled for the client: 1." in pages[0]


def test_hold_of_a_move_is_neither_listed_nor_cancelled(admin_client: Client) -> None:
    booking = make_upcoming()
    hold = make_upcoming(BookingState.HELD, hour=15, held_for=booking, customer_email_hash="")

    page = _press(admin_client, "bookings_booking", "cancel_for_client", hold, confirmed="yes")

    hold.refresh_from_db()
    assert (hold.state, str(hold.pk) in page, str(booking.pk) in page) == (BookingState.HELD, False, True)


def test_free_call_is_cancelled_without_a_word_of_money(admin_client: Client) -> None:
    asked = _press(admin_client, "bookings_booking", "cancel_for_client", make_upcoming())

    assert "nothing was paid" in asked


def test_refund_what_is_left_asks_with_the_amount(admin_client: Client) -> None:
    payment = make_payment()
    request_refund(payment_id=payment.id, amount_minor=100000, reason=RefundReason.STAFF, actor="staff:1", now=NOW)

    page = _press(admin_client, "payments_payment", "refund_what_is_left", payment)

    assert ("INR 299.00" in page, Refund.objects.count()) == (True, 1)


def test_refund_what_is_left_clicked_twice_refunds_once(admin_client: Client) -> None:
    payment = make_payment()

    for _ in range(2):
        page = _press(admin_client, "payments_payment", "refund_what_is_left", payment, confirmed="yes")

    assert (Refund.objects.get().amount_minor, "Nothing of this payment is left to refund." in page) == (129900, True)


def test_retry_asks_once_more_for_a_failed_refund(admin_client: Client) -> None:
    refund = request_refund(
        payment_id=make_payment().id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )
    Refund.objects.update(state=RefundState.FAILED)

    _press(admin_client, "payments_refund", "retry", refund, confirmed="yes")

    assert sorted(Refund.objects.values_list("state", flat=True)) == ["FAILED", "REQUESTED"]


@pytest.mark.parametrize(
    ("model", "action", "view"),
    [
        ("bookings_booking", "cancel_for_practice", "view_booking"),
        ("payments_payment", "refund_what_is_left", "view_payment"),
    ],
)
def test_action_is_not_for_those_who_may_only_look(model: str, action: str, view: str, client: Client) -> None:
    looker = StaffMember.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename=view))
    client.force_login(looker)
    booking = make_booking(
        wish=make_wish(), state=BookingState.CONFIRMED, calcom_booking_id="uid-1", payment=make_payment()
    )
    row = booking if model == "bookings_booking" else Payment.objects.get()

    _press(client, model, action, row, confirmed="yes")

    booking.refresh_from_db()
    assert (booking.state, Refund.objects.count()) == (BookingState.CONFIRMED, 0)


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("note_absence", BookingState.COMPLETED, BookingState.NO_SHOW),
        ("note_attendance", BookingState.NO_SHOW, BookingState.COMPLETED),
    ],
)
def test_who_came_is_noted_after_a_question(
    action: str, before: BookingState, after: BookingState, admin_client: Client
) -> None:
    booking = make_upcoming(before, starts_at=NOW - timedelta(days=30), ends_at=NOW - timedelta(days=30, hours=-1))

    _press(admin_client, "bookings_booking", action, booking)
    booking.refresh_from_db()
    asked = booking.state
    _press(admin_client, "bookings_booking", action, booking, confirmed="yes")

    booking.refresh_from_db()
    assert (asked, booking.state) == (before, after)


def test_absence_from_a_session_that_has_not_begun_is_refused_and_said(admin_client: Client) -> None:
    booking = make_upcoming()

    page = _press(admin_client, "bookings_booking", "note_absence", booking, confirmed="yes")

    booking.refresh_from_db()
    assert ("has not begun" in page, booking.state) == (True, BookingState.CONFIRMED)
