from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.handlers import send_refunded
from bookings.services.unplaced import refund_unplaced, unplaced_payments, waiting_payments
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_payment
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery
from payments.models import Payment, Refund
from payments.refunds import request_refund
from payments.states import Attention, RefundReason, RefundState

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db
LATE = NOW + timedelta(hours=73)


def _unplaced() -> list[Payment]:
    return list(unplaced_payments(before=LATE))


def test_refund_unplaced_sends_back_what_bought_nothing() -> None:
    payment = make_payment()

    assert refund_unplaced(now=LATE) == 1

    refund = Refund.objects.get()
    assert (refund.payment, refund.amount_minor, refund.reason) == (payment, 129900, RefundReason.UNSPENT)


def test_refund_unplaced_waits_for_the_client_to_choose() -> None:
    make_payment()

    assert refund_unplaced(now=NOW + timedelta(hours=71)) == 0


def test_refund_unplaced_twice_sends_back_once() -> None:
    make_payment()

    assert (refund_unplaced(now=LATE), refund_unplaced(now=LATE)) == (1, 0)


@pytest.mark.parametrize("state", [BookingState.PENDING, BookingState.CANCELLED, BookingState.COMPLETED])
def test_unplaced_payments_leave_out_what_a_booking_holds(state: BookingState) -> None:
    make_booking(state=state, payment=make_payment())

    assert _unplaced() == []


@pytest.mark.parametrize("state", [BookingState.REJECTED, BookingState.EXPIRED])
def test_unplaced_payments_name_what_a_lost_slot_gave_back(state: BookingState) -> None:
    payment = make_payment()
    make_booking(state=state, payment=payment)

    assert _unplaced() == [payment]


def test_unplaced_payments_leave_out_what_a_person_must_look_at() -> None:
    make_payment(attention=Attention.AMOUNT)

    assert _unplaced() == []


def _send_back(payment: Payment, amount_minor: int | None) -> Refund:
    return request_refund(
        payment_id=payment.id, amount_minor=amount_minor, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )


def test_unplaced_payments_leave_out_what_went_back() -> None:
    _send_back(make_payment(), None)

    assert _unplaced() == []


@pytest.mark.parametrize("state", list(BookingState))
def test_waiting_payments_are_the_unplaced_ones_of_these_days(state: BookingState) -> None:
    make_payment(created_at=NOW)
    make_payment(created_at=NOW, attention=Attention.DISPUTE)
    hold_ends = NOW if state == BookingState.HELD else None
    make_booking(state=state, payment=make_payment(created_at=NOW), calcom_booking_id="uid1", hold_expires_at=hold_ends)
    back = make_payment(created_at=NOW)
    request_refund(payment_id=back.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=NOW)

    assert set(waiting_payments(now=NOW)) == set(unplaced_payments(before=NOW))


def test_waiting_payments_name_what_was_paid_long_ago_and_released_now() -> None:
    long_ago = NOW - timedelta(days=60)
    payment = make_payment(created_at=long_ago, captured_at=long_ago)
    make_booking(state=BookingState.CANCELLED, payment=payment, payment_released_at=NOW)

    assert list(waiting_payments(now=NOW)) == [payment]


def test_waiting_payments_do_not_look_at_what_went_back_long_ago() -> None:
    make_payment(created_at=NOW - timedelta(days=60), captured_at=NOW - timedelta(days=60))

    assert list(waiting_payments(now=NOW)) == []


def test_refund_unplaced_sends_the_rest_after_a_part() -> None:
    payment = make_payment()
    _send_back(payment, 900)

    assert (refund_unplaced(now=LATE), refund_unplaced(now=LATE)) == (1, 0)

    assert sorted(payment.refunds.values_list("amount_minor", "reason")) == [
        (900, RefundReason.STAFF),
        (129000, RefundReason.UNSPENT),
    ]


def test_refund_unplaced_counts_a_refund_that_failed_as_not_gone() -> None:
    payment = make_payment()
    refund = _send_back(payment, 900)
    refund.state = RefundState.FAILED
    refund.save()

    assert refund_unplaced(now=LATE) == 1

    assert payment.refunds.get(reason=RefundReason.UNSPENT).amount_minor == 129900


def _delivery(refund: Refund) -> Delivery:
    message = OutboxMessage.objects.get(topic="refund.send")
    return Delivery(message.id, "refund.processed", "x", {"refund_id": str(refund.id)}, 1, LATE)


def _paid_back() -> Refund:
    Refund.objects.update(state="PROCESSED")
    return Refund.objects.get()


def test_send_refunded_is_silent_about_money_that_came_back(sandbox: SandboxProcess) -> None:
    payment = make_payment()
    make_booking(state=BookingState.REJECTED, payment=payment)
    refund_unplaced(now=LATE)
    Refund.objects.update(state="FAILED")

    send_refunded(_delivery(Refund.objects.get()))

    assert sandbox.mailbox() == []


def test_send_refunded_tells_the_client(sandbox: SandboxProcess) -> None:
    payment = make_payment()
    make_booking(state=BookingState.REJECTED, payment=payment)
    refund_unplaced(now=LATE)

    send_refunded(_delivery(_paid_back()))

    (mail,) = sandbox.mailbox()
    assert (mail["subject"], "₹1,299" in mail["text"], "₹1,299" in mail["html"]) == (
        "Your money is on its way back",
        True,
        True,
    )


@pytest.mark.parametrize(
    ("reason", "is_said"),
    [(RefundReason.SECOND_PAYMENT, True), (RefundReason.SECOND_CAPTURE, True), (RefundReason.UNSPENT, False)],
)
def test_send_refunded_says_that_it_was_paid_twice(
    reason: RefundReason, is_said: bool, sandbox: SandboxProcess
) -> None:
    booking = make_booking(state=BookingState.PENDING, payment=make_payment())
    second = make_payment(reference=str(booking.id))
    request_refund(payment_id=second.id, amount_minor=None, reason=reason, actor="system", now=NOW)

    send_refunded(_delivery(_paid_back()))

    (mail,) = sandbox.mailbox()
    sentence = "You had paid for one appointment twice."
    assert (sentence in mail["text"], sentence in mail["html"]) == (is_said, is_said)
    assert "no longer free" not in mail["text"]


def test_send_refunded_knows_the_client_by_the_hold(sandbox: SandboxProcess) -> None:
    hold = make_booking(state=BookingState.EXPIRED)
    make_payment(reference=str(hold.id))
    refund_unplaced(now=LATE)

    send_refunded(_delivery(_paid_back()))

    assert [mail["to"] for mail in sandbox.mailbox()] == [["jane@example.com"]]


def test_send_refunded_is_silent_about_money_of_nobody_we_know(sandbox: SandboxProcess) -> None:
    make_payment()
    refund_unplaced(now=LATE)

    send_refunded(_delivery(_paid_back()))

    assert sandbox.mailbox() == []
