from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bookings.credits import credit_of
from bookings.letters import cancelled_letter
from bookings.models import Booking
from bookings.practice_time import local
from bookings.refusals import NotCancellable
from bookings.services.booking import book_session
from bookings.services.cancellation import (
    cancel_by_client,
    cancel_by_practice,
    clear_calendar,
    quote_cancellation,
)
from bookings.services.placement import place_in_calendar
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_catalogue, make_payment, make_wish, next_slot
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.catalogue.models import CancellationRule
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Refund
from payments.money import Money
from payments.refunds import request_refund
from payments.states import RefundReason

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from bookings.tests.visitor import Visitor
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

STARTS = make_wish().starts_at


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _booked(**overrides: Any) -> Booking:
    values: dict[str, Any] = {"state": BookingState.CONFIRMED, "calcom_booking_id": "uid-1", "payment": make_payment()}
    return make_booking(**(values | overrides))


def _refunds() -> list[tuple[int, str]]:
    return list(Refund.objects.values_list("amount_minor", "reason"))


@pytest.mark.parametrize(
    ("before", "percent", "refund"),
    [
        (timedelta(days=3), 100, 129900),
        (timedelta(hours=24), 100, 129900),
        (timedelta(hours=24) - timedelta(seconds=1), 50, 64950),
        (timedelta(seconds=1), 50, 64950),
        (timedelta(0), 0, 0),
        (-timedelta(hours=1), 0, 0),
    ],
)
def test_quote_cancellation_follows_the_policy(before: timedelta, percent: int, refund: int) -> None:
    quote = quote_cancellation(_booked(), now=STARTS - before)

    assert (quote.percent, quote.refund) == (percent, Money(refund, "INR"))


def test_quote_cancellation_is_data_and_no_code() -> None:
    CancellationRule.objects.create(hours_before=48, refund_percent=100)
    CancellationRule.objects.filter(hours_before=24).update(refund_percent=33)

    quote = quote_cancellation(_booked(), now=STARTS - timedelta(hours=30))

    assert (quote.percent, quote.refund) == (33, Money(42867, "INR"))


def test_quote_cancellation_rounds_in_the_clients_favor() -> None:
    CancellationRule.objects.filter(hours_before=24).update(refund_percent=33)
    payment = make_payment(captured_amount_minor=100, amount_minor=100)

    quote = quote_cancellation(_booked(payment=payment), now=STARTS - timedelta(hours=30))
    payment.captured_amount_minor = 101
    payment.save()

    assert quote.refund == Money(33, "INR")
    assert quote_cancellation(Booking.objects.get(), now=STARTS - timedelta(hours=30)).refund == Money(34, "INR")


def test_quote_cancellation_never_exceeds_what_is_left() -> None:
    booking = _booked()
    assert booking.payment is not None
    request_refund(
        payment_id=booking.payment.id, amount_minor=100000, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )

    assert quote_cancellation(booking, now=STARTS - timedelta(days=3)).refund == Money(29900, "INR")


@pytest.mark.parametrize(("gone_before", "refund"), [(30000, 34950), (64950, 0), (90000, 0)])
def test_quote_cancellation_counts_what_went_back_before(gone_before: int, refund: int) -> None:
    booking = _booked()
    assert booking.payment is not None
    request_refund(
        payment_id=booking.payment.id, amount_minor=gone_before, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )

    quote = quote_cancellation(booking, now=STARTS - timedelta(hours=1))

    assert (quote.percent, quote.refund) == (50, Money(refund, "INR"))


def test_quote_cancellation_of_a_free_call_has_no_money() -> None:
    booking = _booked(wish=make_wish(session_type="free", session_format=None), payment=None)

    assert quote_cancellation(booking, now=NOW).refund is None


@pytest.mark.parametrize("state", [BookingState.PENDING, BookingState.CONFIRMED])
def test_cancel_by_client_frees_the_hour_and_sends_money_back(state: BookingState) -> None:
    booking = cancel_by_client(booking_id=_booked(state=state).id, now=STARTS - timedelta(hours=2))

    assert (booking.state, _refunds()) == (BookingState.CANCELLED, [(64950, "cancelled_by_client")])
    assert make_booking(state=BookingState.PENDING).state == BookingState.PENDING


def test_cancel_by_client_leaves_calendar_and_mail_to_the_outbox() -> None:
    cancel_by_client(booking_id=_booked().id, now=STARTS - timedelta(days=3))

    topics = OutboxMessage.objects.order_by("sequence").values_list("topic", flat=True)
    assert list(topics) == ["refund.send", "calendar.cancel", "email.cancelled"]


def test_cancel_by_client_twice_is_once() -> None:
    booking = _booked()

    for _ in range(2):
        cancel_by_client(booking_id=booking.id, now=STARTS - timedelta(days=3))

    assert _refunds() == [(129900, "cancelled_by_client")]


def test_cancel_by_client_lets_a_hold_go() -> None:
    booking = cancel_by_client(booking_id=make_booking().id, now=NOW)

    assert (booking.state, _refunds()) == (BookingState.CANCELLED, [])
    assert AuditEvent.objects.get(action="booking.cancelled").actor == "client"


def test_cancel_by_client_says_that_staff_let_a_hold_go() -> None:
    cancel_by_client(booking_id=make_booking().id, now=NOW, actor="staff:1")

    assert AuditEvent.objects.get(action="booking.cancelled").actor == "staff:1"


@pytest.mark.parametrize("state", [BookingState.REJECTED, BookingState.EXPIRED, BookingState.NO_SHOW])
def test_cancel_by_client_refuses_what_is_not_booked(state: BookingState) -> None:
    with pytest.raises(NotCancellable):
        cancel_by_client(booking_id=_booked(state=state).id, now=NOW)


def test_cancel_by_client_refuses_once_the_session_has_begun() -> None:
    booking = _booked()

    with pytest.raises(NotCancellable):
        cancel_by_client(booking_id=booking.id, now=STARTS)

    booking.refresh_from_db()
    assert (booking.state, _refunds()) == (BookingState.CONFIRMED, [])


def test_cancel_by_practice_leaves_the_client_the_choice() -> None:
    booking = cancel_by_practice(booking_id=_booked().id, actor="staff:1", now=STARTS - timedelta(minutes=1))

    credit = credit_of(booking)
    assert credit is not None
    assert (booking.state, _refunds()) == (BookingState.CANCELLED, [])
    assert (credit.payment, credit.until) == (booking.payment, STARTS - timedelta(minutes=1) + timedelta(hours=72))


def test_cancel_by_practice_gives_back_the_rest_of_what_buys_nothing_any_more() -> None:
    booking = _booked()
    assert booking.payment is not None
    request_refund(payment_id=booking.payment.id, amount_minor=1, reason=RefundReason.STAFF, actor="staff:1", now=NOW)

    cancel_by_practice(booking_id=booking.id, actor="staff:1", now=STARTS - timedelta(minutes=1))

    assert _refunds() == [(1, "staff"), (129899, "cancelled_by_practice")]
    assert credit_of(Booking.objects.get()) is None


def _placed(now: datetime) -> Booking:
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    return book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)


def _appointments(sandbox: SandboxProcess) -> list[str]:
    return [item["status"] for item in sandbox.state()["calcom"]["bookings"]]


def test_clear_calendar_takes_the_appointment_out(sandbox: SandboxProcess, now: datetime) -> None:
    booking = place_in_calendar(booking_id=_placed(now).id, timeout=5, now=now)
    cancel_by_client(booking_id=booking.id, now=now)

    for _ in range(2):
        clear_calendar(booking_id=booking.id, now=now)

    assert _appointments(sandbox) == ["cancelled"]


def test_clear_calendar_waits_for_an_appointment_whose_making_was_never_answered(
    sandbox: SandboxProcess, now: datetime
) -> None:
    booking = _placed(now)
    sandbox.fault("calcom", "refuse", "bookings.create")
    with pytest.raises(ProviderError):
        place_in_calendar(booking_id=booking.id, timeout=5, now=now)
    cancel_by_client(booking_id=booking.id, now=now)

    with pytest.raises(RetryLater):
        clear_calendar(booking_id=booking.id, now=now + timedelta(seconds=31))
    clear_calendar(booking_id=booking.id, now=now + timedelta(seconds=61))

    assert _appointments(sandbox) == []


def test_clear_calendar_finds_an_appointment_whose_answer_was_lost(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _placed(now)
    sandbox.fault("calcom", "drop", "bookings.create")
    with pytest.raises(ProviderError):
        place_in_calendar(booking_id=booking.id, timeout=5, now=now)
    cancel_by_client(booking_id=booking.id, now=now)

    clear_calendar(booking_id=booking.id, now=now)

    assert _appointments(sandbox) == ["cancelled"]


def test_clear_calendar_has_nothing_to_do_for_what_was_never_asked(sandbox: SandboxProcess, now: datetime) -> None:
    booking = cancel_by_client(booking_id=_placed(now).id, now=now)

    clear_calendar(booking_id=booking.id, now=now)

    assert sandbox.calls("calcom.bookings.create") == 0


def test_cancelled_booking_is_told_by_mail_with_the_money_and_the_calendar_entry(sandbox: SandboxProcess) -> None:
    now = datetime.now(UTC)
    booking = place_in_calendar(booking_id=_placed(now).id, timeout=5, now=now)
    cancel_by_client(booking_id=booking.id, now=now)

    # The made-up payment is unknown to the gateway; what is told here is the promise, before it is tried.
    OutboxMessage.objects.filter(topic="refund.send").delete()
    deliver_due(now=datetime.now(UTC) + timedelta(seconds=1), limit=20)

    mail = next(mail for mail in sandbox.mailbox() if mail["subject"] == "Your appointment is cancelled")
    assert ("\N{INDIAN RUPEE SIGN}1,299" in mail["text"], "STATUS:CANCELLED" in mail["attachments"][0]["text"]) == (
        True,
        True,
    )


@pytest.mark.parametrize(
    ("earlier", "percent", "ours", "promised"),
    [
        ("REQUESTED", 0, None, None),
        ("PENDING", 0, None, None),
        ("PROCESSED", 0, None, None),
        ("PROCESSED", 50, "REQUESTED", "\N{INDIAN RUPEE SIGN}250"),
        ("PROCESSED", 50, "PROCESSED", "\N{INDIAN RUPEE SIGN}250"),
        ("PROCESSED", 50, "FAILED", None),
    ],
)
def test_cancelled_letter_promises_only_what_goes_back_for_it(
    earlier: str, percent: int, ours: str | None, promised: str | None
) -> None:
    booking = _booked(payment=make_payment(captured_amount_minor=130000))
    assert booking.payment is not None
    request_refund(
        payment_id=booking.payment.id, amount_minor=40000, reason=RefundReason.STAFF, actor="staff:1", now=NOW
    )
    Refund.objects.update(state=earlier)
    CancellationRule.objects.update(refund_percent=percent)
    cancel_by_client(booking_id=booking.id, now=STARTS - timedelta(hours=2))
    if ours:
        Refund.objects.filter(reason=RefundReason.CANCELLED_BY_CLIENT).update(state=ours)

    letter = cancelled_letter(Booking.objects.get(), now=STARTS)

    assert letter.context["refund"] == promised


def test_manage_page_cancels_by_its_button_and_never_by_looking(visitor: Visitor, api: APIClient) -> None:
    _, booked = visitor.book(visitor.paid_payment_id())
    page = booked["manageUrl"].partition("8000")[2] or booked["manageUrl"].split("/", 3)[3]
    path = "/" + page.lstrip("/")

    looked = api.get(path)
    api.get(f"{path}/cancel")
    before = Booking.objects.get().state
    pressed = api.post(f"{path}/cancel", {"confirm": "yes"}, format="multipart")

    assert ("\N{INDIAN RUPEE SIGN}1,299" in looked.content.decode(), before) == (True, BookingState.CONFIRMED)
    assert (pressed.status_code, pressed.headers["Location"]) == (303, path)
    assert (Booking.objects.get().state, _refunds()) == (BookingState.CANCELLED, [(129900, "cancelled_by_client")])


def test_booking_status_tells_what_goes_back_before_it_is_cancelled(visitor: Visitor, api: APIClient) -> None:
    _, hold = visitor.hold()
    triple = visitor.pay(hold["payment"]["orderId"])
    visitor.book(triple["razorpay_payment_id"])
    bearer = {"Authorization": f"Bearer {hold['token']}"}

    status = api.get(f"/api/bookings/{hold['bookingId']}", headers=bearer).json()
    cancelled = api.post(f"/api/bookings/{hold['bookingId']}/cancel", headers=bearer).json()

    assert status["cancellation"] == {"refundPercent": 100, "refund": 129900, "currency": "INR"}
    assert (cancelled["status"], cancelled["cancellation"]) == ("cancelled", None)
