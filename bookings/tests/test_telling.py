"""Whoever paid and has no session hears of it; whom nobody knows, staff see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bookings.credits import choose_again_url
from bookings.handlers import send_unplaced
from bookings.ledger import ledger, needing_a_person
from bookings.services.cancellation import cancel_by_practice
from bookings.services.telling import tell_unplaced
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_payment, make_upcoming, make_wish
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery
from mindfulqalb.vendors.errors import ProviderError
from payments.refunds import request_refund
from payments.services import capture_payment
from payments.states import RefundReason
from payments.tests.builders import make_order
from payments.tests.payers import PAYERS

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess
    from payments.models import Payment

pytestmark = pytest.mark.django_db
GONE, ENDING = NOW + timedelta(minutes=30), NOW + timedelta(hours=48)
MOMENT = timedelta(seconds=1)


def _asked() -> list[str]:
    return list(
        OutboxMessage.objects.filter(topic__startswith="email.").order_by("sequence").values_list("topic", flat=True)
    )


def _send(topic: str, now: datetime) -> None:
    message = OutboxMessage.objects.get(topic=topic)
    send_unplaced(Delivery(message.id, topic, message.lane, message.payload, 1, now))


def _paid_without_a_hold(sandbox: SandboxProcess, gateway: str, **more: Any) -> Payment:
    payer = PAYERS[gateway](sandbox)
    payment = make_order(payer, reference="", **more)
    payer.pay(str(payment.provider_order_id))
    return capture_payment(payment_id=payment.id, now=datetime.now(UTC))


def test_tell_unplaced_waits_until_the_browser_is_surely_gone() -> None:
    make_payment()

    assert (tell_unplaced(now=GONE - MOMENT), tell_unplaced(now=GONE), _asked()) == (0, 1, ["email.unclaimed"])


def test_tell_unplaced_tells_each_thing_once() -> None:
    make_payment()

    counts = [tell_unplaced(now=now) for now in (GONE, GONE, ENDING - MOMENT, ENDING, ENDING)]

    assert (counts, _asked()) == ([1, 0, 0, 1, 0], ["email.unclaimed", "email.credit_ending"])


@pytest.mark.parametrize("state", [BookingState.REJECTED, BookingState.EXPIRED])
def test_tell_unplaced_leaves_a_lost_slot_to_its_own_mail_until_the_credit_ends(state: BookingState) -> None:
    hold = make_booking(state=state)
    make_payment(reference=str(hold.id))

    assert (tell_unplaced(now=GONE), tell_unplaced(now=ENDING), _asked()) == (0, 1, ["email.credit_ending"])


def test_tell_unplaced_is_silent_about_money_that_is_spent_doubted_or_on_its_way_back() -> None:
    make_booking(state=BookingState.PENDING, payment=make_payment())
    make_payment(attention="amount_mismatch")
    request_refund(payment_id=make_payment().id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=NOW)

    assert (tell_unplaced(now=ENDING), _asked()) == (0, [])


def test_tell_unplaced_warns_by_the_clock_of_a_cancellation_by_the_practice(now: datetime) -> None:
    booking = make_upcoming(payment=make_payment(captured_at=now - timedelta(days=20)))
    cancel_by_practice(booking_id=booking.id, actor="staff:1", now=now)

    counts = [tell_unplaced(now=now + timedelta(hours=hours)) for hours in (1, 47, 48, 49)]

    assert counts == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("gateway", "recipient"), [("stripe", ["jane@example.com"]), ("razorpay", ["jane@example.com"])]
)
def test_unclaimed_money_is_told_to_whom_the_gateway_names(
    gateway: str, recipient: list[str], sandbox: SandboxProcess
) -> None:
    if gateway == "razorpay":
        payer = PAYERS[gateway](sandbox)
        payment = make_order(payer, reference="")
        sandbox.pay_razorpay(str(payment.provider_order_id), "captured", email="jane@example.com")
        payment = capture_payment(payment_id=payment.id, now=datetime.now(UTC))
    else:
        payment = _paid_without_a_hold(sandbox, gateway)
    tell_unplaced(now=datetime.now(UTC) + timedelta(minutes=31))

    _send("email.unclaimed", datetime.now(UTC))

    (mail,) = sandbox.mailbox()
    assert (mail["to"], mail["subject"]) == (recipient, "Please choose a time for your appointment")
    assert (choose_again_url(payment) in mail["text"], str(payment.captured) in mail["text"]) == (True, True)


def test_unclaimed_money_of_a_payer_whom_nobody_knows_is_shown_to_staff(sandbox: SandboxProcess) -> None:
    payment = _paid_without_a_hold(sandbox, "razorpay")
    tell_unplaced(now=datetime.now(UTC) + timedelta(minutes=31))
    before = needing_a_person()

    for _ in range(2):
        _send("email.unclaimed", datetime.now(UTC))

    assert (sandbox.mailbox(), before, needing_a_person()) == ([], [], [payment])
    assert AuditEvent.objects.filter(action="payment.payer_unknown").count() == 1
    assert [(line.credited, line.attention) for line in ledger()] == [(129900, 0)]


def test_unclaimed_money_is_told_later_when_the_gateway_is_silent(sandbox: SandboxProcess) -> None:
    _paid_without_a_hold(sandbox, "razorpay")
    tell_unplaced(now=datetime.now(UTC) + timedelta(minutes=31))
    sandbox.fault("razorpay", "refuse", "payments.fetch", times=None)

    with pytest.raises(ProviderError):
        _send("email.unclaimed", datetime.now(UTC))

    assert needing_a_person() == []


def test_unclaimed_money_that_was_spent_meanwhile_is_not_told_of(sandbox: SandboxProcess) -> None:
    payment = make_payment()
    tell_unplaced(now=GONE)
    make_booking(state=BookingState.PENDING, payment=payment)

    _send("email.unclaimed", GONE)

    assert (sandbox.mailbox(), needing_a_person()) == ([], [])


def test_end_of_a_credit_is_told_to_whom_the_booking_names(sandbox: SandboxProcess) -> None:
    hold = make_booking(state=BookingState.EXPIRED, wish=make_wish())
    payment = make_payment(reference=str(hold.id))
    tell_unplaced(now=ENDING)

    _send("email.credit_ending", ENDING)

    (mail,) = sandbox.mailbox()
    assert (mail["to"], mail["subject"]) == (["jane@example.com"], "Your payment goes back soon")
    assert ("Hello Jane," in mail["text"], choose_again_url(payment) in mail["text"]) == (True, True)
    assert "Friday, 4 December 2026, 11:30 AM" in mail["text"]
    assert [mail[body].count("/manage/") for body in ("text", "html")] == [1, 1]
    assert "have it back at once" not in mail["text"]
