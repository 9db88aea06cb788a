"""Money without a session: another time or the money back, as the client says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from bookings.credits import choose_again_url, credit_ends, credit_of, is_unspent
from bookings.handlers import send_cancelled
from bookings.links import token_of
from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.cancellation import cancel_by_client, cancel_by_practice
from bookings.services.unplaced import refund_credit, refund_unplaced, unplaced_payments
from bookings.states import BookingState
from bookings.tests.builders import make_payment, make_upcoming, make_wish, next_slot
from bookings.tests.looking import all_rows, path_of, text_of
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.outbox.registry import Delivery
from payments.models import Refund
from payments.refunds import NothingToRefund, request_refund
from payments.states import RefundReason

if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient

    from bookings.models import Booking
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess
    from payments.models import Payment

pytestmark = pytest.mark.django_db
WAIT = timedelta(hours=72)


def _cancelled(now: datetime, **overrides: Any) -> tuple[Booking, Payment]:
    """A session paid long ago, and cancelled by the practice now."""
    payment = make_payment(captured_at=now - timedelta(days=20), **overrides)
    booking = make_upcoming(payment=payment)
    return cancel_by_practice(booking_id=booking.id, actor="staff:1", now=now), payment


def _book_again(payment: Payment, now: datetime, hour: int = 12) -> Booking:
    slot = local(next_slot(hour))
    wish = make_wish(day=slot.date(), clock=slot.time())
    return book_session(wish=wish, payment_id=payment.provider_payment_id, now=now)


def _refunds() -> list[tuple[int, str, str]]:
    return list(Refund.objects.values_list("amount_minor", "reason", "actor"))


# What it is


@pytest.mark.parametrize("state", [BookingState.REJECTED, BookingState.EXPIRED])
def test_credit_of_a_lost_slot_counts_from_the_payment(state: BookingState, now: datetime) -> None:
    payment = make_payment(captured_at=now)
    booking = make_upcoming(state, payment=payment)

    credit = credit_of(booking)

    assert credit is not None
    assert (credit.payment, credit.amount, credit.until) == (payment, payment.captured, now + WAIT)


def test_credit_of_an_expired_hold_is_found_by_its_reference() -> None:
    hold = make_upcoming(BookingState.EXPIRED)
    payment = make_payment(reference=str(hold.id))

    credit = credit_of(hold)

    assert (credit.payment if credit else None) == payment


def test_credit_of_a_cancellation_by_the_practice_counts_from_the_cancellation(now: datetime) -> None:
    booking, payment = _cancelled(now)

    assert (credit_ends(payment), credit_of(booking) is None) == (now + WAIT, False)


@pytest.mark.parametrize("state", [BookingState.HELD, BookingState.PENDING, BookingState.CONFIRMED])
def test_credit_of_a_session_that_stands_is_none(state: BookingState) -> None:
    assert credit_of(make_upcoming(state, payment=make_payment())) is None


def test_credit_of_a_cancellation_by_the_client_is_none(now: datetime) -> None:
    booking = make_upcoming(payment=make_payment())

    assert credit_of(cancel_by_client(booking_id=booking.id, now=now)) is None


@pytest.mark.parametrize("spoiled", [{"attention": "amount_mismatch"}, {"state": "CREATED", "captured_at": None}])
def test_credit_of_money_that_buys_nothing_is_none(spoiled: dict[str, Any]) -> None:
    hold = make_upcoming(BookingState.EXPIRED)
    make_payment(reference=str(hold.id), **spoiled)

    assert credit_of(hold) is None


def test_credit_ends_once_it_is_spent_again_or_goes_back(now: datetime) -> None:
    booking, payment = _cancelled(now)
    assert is_unspent(payment)

    again = _book_again(payment, now)

    assert (is_unspent(payment), credit_of(booking), again.payment) == (False, None, payment)
    cancel_by_client(booking_id=again.id, now=now)
    assert (is_unspent(payment), credit_of(booking), credit_of(again)) == (False, None, None)


def test_choose_again_url_leads_to_the_booking_page_with_the_money_in_hand() -> None:
    payment = make_payment()

    address = choose_again_url(payment)

    assert address.endswith(f"/?session=individual-video&payment={payment.provider_payment_id}")


# What becomes of it


def test_database_lets_a_released_payment_be_spent_once_more_and_no_oftener(now: datetime) -> None:
    _, payment = _cancelled(now)
    _book_again(payment, now)

    with pytest.raises(IntegrityError, match="booking_payment_spent_once"), transaction.atomic():
        make_upcoming(BookingState.PENDING, hour=15, payment=payment)


def test_refund_unplaced_leaves_the_client_time_after_a_cancellation_by_the_practice(now: datetime) -> None:
    _cancelled(now)

    counts = [refund_unplaced(now=now + WAIT - timedelta(seconds=1)), refund_unplaced(now=now + WAIT)]

    assert (counts, _refunds()) == ([0, 1], [(129900, "unspent", "system")])
    assert list(unplaced_payments(before=now + WAIT)) == []


def test_refund_unplaced_leaves_alone_what_was_spent_again(now: datetime) -> None:
    _, payment = _cancelled(now)
    _book_again(payment, now)

    assert refund_unplaced(now=now + 2 * WAIT) == 0


def test_refund_credit_sends_all_of_it_back_once(now: datetime) -> None:
    booking, _ = _cancelled(now)

    refund_credit(booking=booking, now=now)
    with pytest.raises(NothingToRefund):
        refund_credit(booking=booking, now=now)

    assert _refunds() == [(129900, "cancelled_by_practice", "client")]


def test_refund_credit_of_a_lost_slot_says_so(now: datetime) -> None:
    booking = make_upcoming(BookingState.REJECTED, payment=make_payment())

    refund_credit(booking=booking, now=now)

    assert _refunds() == [(129900, "unspent", "client")]


def test_refund_credit_refuses_what_was_spent_again(now: datetime) -> None:
    booking, payment = _cancelled(now)
    _book_again(payment, now)

    with pytest.raises(NothingToRefund):
        refund_credit(booking=booking, now=now)

    assert _refunds() == []


def test_staff_refund_takes_the_choice_away(now: datetime) -> None:
    booking, payment = _cancelled(now)
    request_refund(payment_id=payment.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=now)

    assert credit_of(booking) is None


# How it is offered


def test_mail_about_a_cancellation_by_the_practice_offers_both(sandbox: SandboxProcess, now: datetime) -> None:
    booking, payment = _cancelled(now)

    send_cancelled(Delivery(uuid4(), "x", "x:1", {"booking_id": str(booking.id)}, 1, now))

    (mail,) = sandbox.mailbox()
    links = [choose_again_url(payment), f"/manage/{token_of(booking, now=now)}"]
    assert [link for link in links if link not in mail["text"]] == []
    assert [link for link in links if link.replace("&", "&amp;") not in mail["html"]] == []
    until = local(now + WAIT)
    assert [f"{until:%B %Y}" in body for body in (mail["text"], mail["html"])] == [True, True]
    assert "We send" not in mail["text"]


def test_manage_page_offers_both_and_looking_changes_nothing(browser: Client, now: datetime) -> None:
    booking, payment = _cancelled(now)
    path, before = path_of(booking), all_rows()

    page = text_of(browser.get(path))
    looked = browser.get(f"{path}/refund")

    assert (f'href="{choose_again_url(payment)}"' in page, f'action="{path}/refund"' in page) == (True, True)
    assert (looked.status_code, all_rows()) == (405, before)


def test_manage_page_sends_it_back_by_its_button_once(browser: Client, now: datetime) -> None:
    booking, _ = _cancelled(now)
    path = path_of(booking)

    pressed = [browser.post(f"{path}/refund", {"confirm": "yes"}) for _ in range(2)]

    assert [(answer.status_code, answer["Location"]) for answer in pressed] == [(303, path)] * 2
    assert _refunds() == [(129900, "cancelled_by_practice", "client")]
    assert f'action="{path}/refund"' not in text_of(browser.get(path))


def test_button_opens_to_nobody_else(browser: Client) -> None:
    assert browser.post("/manage/forged/refund", {"confirm": "yes"}).status_code == 404


def test_api_tells_of_the_credit_and_sends_it_back(api: APIClient, now: datetime) -> None:
    booking, payment = _cancelled(now)
    path = f"/api/bookings/{BOOKING.encode(booking.id)}"
    bearer = {"Authorization": f"Bearer {token_of(booking, now=datetime.now(UTC))}"}

    status = api.get(path, headers=bearer).json()
    answer = api.post(f"{path}/refund", headers=bearer)
    again = api.post(f"{path}/refund", headers=bearer)

    assert status["credit"] == {
        "amount": 129900,
        "currency": "INR",
        "until": local(now + WAIT).isoformat(),
        "chooseAgainUrl": choose_again_url(payment),
    }
    assert (answer.status_code, answer.json()["credit"]) == (200, None)
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_refund")
