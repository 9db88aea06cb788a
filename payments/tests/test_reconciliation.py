from __future__ import annotations

from datetime import datetime, timedelta
from io import StringIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from payments.models import Payment, Refund
from payments.reconciliation import (
    ASK_FOR,
    OPEN_LONG_ENOUGH,
    TURN,
    apply_webhook,
    is_its_turn,
    payments_to_ask_about,
    recent_captures,
    refresh_payments,
    suspicious_payments,
)
from payments.refunds import request_refund
from payments.services import capture_payment
from payments.states import PaymentState, RefundReason, RefundState
from payments.tasks import compare_books_task, reconcile_task
from payments.tests.builders import announced, make_captured_payment, make_order, make_payment

if TYPE_CHECKING:
    from payments.tests.payers import Payer, RazorpayPayer

pytestmark = pytest.mark.django_db


def _aged(payment: Payment, **age: float) -> Payment:
    Payment.objects.filter(id=payment.id).update(created_at=payment.created_at - timedelta(**age))
    return payment


def test_a_delivery_of_one_gateway_is_not_about_the_others_order(now: datetime) -> None:
    make_payment(gateway="razorpay", provider_order_id="cs_1")
    body = '{"data": {"object": {"object": "checkout.session", "id": "cs_1"}}}'

    assert apply_webhook(gateway="stripe", body=body, now=now) is None


@pytest.mark.parametrize(
    ("state", "minutes", "expected"),
    [
        (PaymentState.CREATED, 16, True),
        (PaymentState.PENDING, 16, True),
        (PaymentState.FAILED, 16, True),
        (PaymentState.EXPIRED, 16, True),
        (PaymentState.CREATED, 14, False),
        (PaymentState.CREATED, 6 * 24 * 60, False),
    ],
)
def test_suspicious_payments_are_open_for_long(
    state: PaymentState, minutes: int, expected: bool, now: datetime
) -> None:
    payment = _aged(make_payment(state=state), minutes=minutes)

    assert suspicious_payments(now=now) == ([payment.id] if expected else [])


def test_suspicious_payments_leave_out_what_has_an_end_or_no_order(now: datetime) -> None:
    _aged(make_captured_payment(), hours=1)
    _aged(make_payment(provider_order_id=None), hours=1)

    assert suspicious_payments(now=now) == []


def test_suspicious_payments_name_a_refund_under_way_however_old(now: datetime) -> None:
    payment = _aged(make_captured_payment(), days=90)
    refund = request_refund(payment_id=payment.id, amount_minor=1, reason=RefundReason.STAFF, actor="x", now=now)
    refund.move_to(RefundState.PENDING)
    refund.save()

    assert suspicious_payments(now=now) == [payment.id]


def test_suspicious_payments_go_back_as_far_as_asked(now: datetime) -> None:
    payment = _aged(make_payment(), days=20)

    assert suspicious_payments(now=now, since=now - timedelta(days=21)) == [payment.id]


def _asked_at(every: timedelta) -> list[timedelta]:
    """At which ages an order that never ends is asked about, by rounds that come so often."""
    rounds = range(int((ASK_FOR - OPEN_LONG_ENOUGH) / every) + 1)
    return [age for number in rounds if is_its_turn(age=(age := OPEN_LONG_ENOUGH + number * every))]


@pytest.mark.parametrize("seconds", [300, 301, 330, 590])
def test_order_that_never_ends_is_asked_about_ever_more_rarely_and_never_left_out(seconds: int) -> None:
    every = timedelta(seconds=seconds)

    asked = _asked_at(every)

    pauses = [(age, later - age) for age, later in pairwise([*asked, ASK_FOR])]
    assert max(pause for age, pause in pauses if age + pause < timedelta(hours=1)) == every
    assert max(pause for age, pause in pauses if age + pause < timedelta(days=1)) <= timedelta(hours=1) + TURN
    assert max(pause for _, pause in pauses) <= timedelta(hours=6) + TURN
    assert len(asked) < 100


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(0.5, True), (0.9, True), (1.1, True), (1.5, False), (23.5, False), (30.1, True), (32, False)],
)
def test_payments_to_ask_about_are_those_whose_turn_it_is(hours: float, expected: bool, now: datetime) -> None:
    payment = _aged(make_payment(), hours=hours)

    assert payments_to_ask_about(now=now) == ([payment.id] if expected else [])
    assert suspicious_payments(now=now) == [payment.id]


def test_payments_to_ask_about_hold_a_refund_under_way_in_every_round(now: datetime) -> None:
    payment = _aged(make_captured_payment(), hours=1.5)
    refund = request_refund(payment_id=payment.id, amount_minor=1, reason=RefundReason.STAFF, actor="x", now=now)
    refund.move_to(RefundState.PENDING)
    refund.save()

    assert payments_to_ask_about(now=now) == [payment.id]


def test_reconcile_finds_money_that_no_webhook_told_of(payer: Payer) -> None:
    payment = _aged(make_order(payer), hours=1)
    payer.pay(str(payment.provider_order_id))

    reconcile_task()

    payment.refresh_from_db()
    assert (payment.state, len(announced())) == (PaymentState.CAPTURED, 1)


@pytest.mark.parametrize(("days", "expected"), [(29, True), (31, False)])
def test_recent_captures_name_money_of_the_last_month(days: int, expected: bool, now: datetime) -> None:
    payment = make_captured_payment(captured_at=now - timedelta(days=days))
    make_payment()

    assert recent_captures(now=now) == ([payment.id] if expected else [])


def test_compare_books_finds_a_refund_that_nobody_told_us_of(razorpay_payer: RazorpayPayer, now: datetime) -> None:
    payment = make_order(razorpay_payer)
    payment_id = razorpay_payer.pay(str(payment.provider_order_id))
    capture_payment(payment_id=payment.id, now=now)
    razorpay_payer.refund_by_hand(payment_id, 500)

    compare_books_task()

    refund = Refund.objects.get()
    assert (refund.payment, refund.amount_minor, refund.reason) == (payment, 500, RefundReason.EXTERNAL)


def test_reconcile_goes_on_after_a_gateway_that_is_silent(razorpay_payer: RazorpayPayer, now: datetime) -> None:
    silent, other = (_aged(make_order(razorpay_payer), hours=1) for _ in range(2))
    razorpay_payer.pay(str(other.provider_order_id))
    # Each of the three GETs of the first one.
    razorpay_payer.sandbox.fault("razorpay", "bare_500", "orders.payments", times=1)

    found = list(refresh_payments([silent.id, other.id], now=now))

    assert [payment and payment.state for payment in found] == [None, PaymentState.CAPTURED]


def test_reconcile_goes_on_after_a_row_that_nobody_thought_of(
    razorpay_payer: RazorpayPayer, caplog: pytest.LogCaptureFixture
) -> None:
    broken = _aged(make_payment(gateway="of-last-year"), hours=2)
    payment = _aged(make_order(razorpay_payer), hours=1)
    razorpay_payer.pay(str(payment.provider_order_id))

    reconcile_task()

    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert [error.split(": ")[0] for error in errors] == [f"payment {broken.id} broke the reconciler"]
    assert "1 of 4 could not be asked about at the gateways" in caplog.messages


def test_compare_books_goes_on_after_a_row_that_nobody_thought_of(
    razorpay_payer: RazorpayPayer, caplog: pytest.LogCaptureFixture, now: datetime
) -> None:
    make_captured_payment(gateway="of-last-year", captured_at=now - timedelta(days=1))
    payment = make_order(razorpay_payer)
    payment_id = razorpay_payer.pay(str(payment.provider_order_id))
    capture_payment(payment_id=payment.id, now=now)
    razorpay_payer.refund_by_hand(payment_id, 500)

    compare_books_task()

    assert Refund.objects.get().payment == payment
    assert "1 of 2 could not be asked about at the gateways" in caplog.messages


def test_reconcile_command_counts_a_row_that_nobody_thought_of(razorpay_payer: RazorpayPayer) -> None:
    _aged(make_payment(gateway="of-last-year"), hours=1)
    output = StringIO()

    with pytest.raises(CommandError, match="1 could not be asked about"):
        call_command("reconcile_payments", stdout=output)
    assert output.getvalue().splitlines()[0] == "1/1 no answer, or a fault of ours: see the log"


def test_reconcile_command_tells_what_it_found(razorpay_payer: RazorpayPayer) -> None:
    payment = _aged(make_order(razorpay_payer), hours=1)
    razorpay_payer.pay(str(payment.provider_order_id))
    output = StringIO()

    call_command("reconcile_payments", stdout=output)

    assert output.getvalue().splitlines() == [
        f"1/1 {payment}: captured",
        "Asked about 1 payments.",
    ]


def test_reconcile_command_fails_when_a_gateway_is_silent(razorpay_payer: RazorpayPayer) -> None:
    _aged(make_order(razorpay_payer), hours=1)
    razorpay_payer.sandbox.fault("razorpay", "bare_500", "orders.payments", times=None)

    with pytest.raises(CommandError, match="1 could not be asked about"):
        call_command("reconcile_payments", stdout=StringIO())


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "01/11/2026"])
def test_reconcile_command_names_a_day_that_is_none(since: Any) -> None:
    with pytest.raises(CommandError, match="--since"):
        call_command("reconcile_payments", since=since, stdout=StringIO())
