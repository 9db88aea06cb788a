from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from bookings import handlers as bookings_handlers
from bookings.listings import distrust_listings, listing_of
from bookings.models import Booking
from bookings.practice_time import local
from bookings.services.booking import book_session
from bookings.services.cancellation import cancel_by_client
from bookings.services.rescheduling import request_move
from bookings.states import BookingState
from bookings.tests.builders import JOHN, make_catalogue, make_payment, make_upcoming, make_wish, next_slot
from mindfulqalb.mail.models import SentMail
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery, RetryLater, handler_for, handlers
from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.models import Refund
from payments.states import RefundReason, RefundState

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

TOPICS = [
    "calendar.attendance",
    "calendar.cancel",
    "calendar.create",
    "calendar.move",
    "calendar.put_back",
    "consent.withdrawn",
    "consent.withdrawn.staff",
    "email.address_corrected",
    "email.cancelled",
    "email.confirmation",
    "email.credit_ending",
    "email.ledger",
    "email.unclaimed",
    "email.moved",
    "email.not_moved",
    "email.not_moved.staff",
    "email.pending",
    "email.reminder",
    "email.slot_lost",
    "payment.captured",
    "refund.processed",
    "webhook.calcom",
]


@pytest.fixture(autouse=True)
def _catalogue(db: None) -> None:
    make_catalogue()


def _deliver(topic: str, *, message_id: UUID | None = None, now: datetime | None = None, **payload: Any) -> None:
    delivery = Delivery(
        message_id=message_id or uuid4(),
        topic=topic,
        lane="test:1",
        payload={name: str(value) for name, value in payload.items()},
        attempts=1,
        now=now or datetime.now(UTC),
    )
    handler_for(topic)(delivery)


def _deliver_twice(topic: str, **payload: Any) -> None:
    """As after a worker that died before it could say that it was done."""
    message_id = uuid4()
    for _ in range(2):
        _deliver(topic, message_id=message_id, **payload)


def _paid_booking(now: datetime) -> Booking:
    slot = local(next_slot())
    wish = make_wish(day=slot.date(), clock=slot.time())
    return book_session(wish=wish, payment_id=make_payment().provider_payment_id, now=now)


def _topics() -> list[str]:
    return list(OutboxMessage.objects.filter(state="PENDING").order_by("sequence").values_list("topic", flat=True))


def test_handlers_are_all_tested_here() -> None:
    ours = [topic for topic, handler in handlers.items() if handler.__module__ == bookings_handlers.__name__]

    assert sorted(ours) == sorted(TOPICS)


def test_payment_captured_places_and_confirms_the_hold_once(sandbox: SandboxProcess, now: datetime) -> None:
    hold = make_upcoming(BookingState.HELD, hold_expires_at=now + timedelta(minutes=5))
    payment = make_payment(reference=str(hold.id))

    _deliver_twice("payment.captured", payment_id=payment.id, reference=hold.id)

    hold.refresh_from_db()
    assert (hold.state, hold.payment, Booking.objects.count()) == (BookingState.CONFIRMED, payment, 1)
    assert (len(sandbox.state()["calcom"]["bookings"]), _topics()) == (1, ["email.confirmation"])


def test_payment_captured_without_a_hold_does_nothing(sandbox: SandboxProcess) -> None:
    _deliver_twice("payment.captured", payment_id=make_payment().id, reference="")

    assert (Booking.objects.count(), _topics(), sandbox.calls("calcom.bookings.create")) == (0, [], 0)


def test_calendar_move_moves_once(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _paid_booking(now)
    _deliver("calendar.create", booking_id=booking.id)
    request_move(booking_id=booking.id, starts_at=next_slot(15), now=now)

    _deliver_twice("calendar.move", booking_id=booking.id)

    booking.refresh_from_db()
    assert (booking.starts_at, sandbox.calls("calcom.bookings.reschedule")) == (next_slot(15), 1)


@pytest.mark.parametrize(("state", "mails"), [(BookingState.CONFIRMED, 1), (BookingState.CANCELLED, 0)])
def test_email_moved_is_sent_once_and_not_after_a_cancellation(
    state: BookingState, mails: int, sandbox: SandboxProcess
) -> None:
    booking = make_upcoming(state)

    _deliver_twice("email.moved", booking_id=booking.id)

    assert [mail["subject"] for mail in sandbox.mailbox()] == ["Your appointment has a new time"] * mails


def test_payment_captured_of_a_silent_calendar_leaves_the_placed_hold_to_the_worker(
    sandbox: SandboxProcess, now: datetime
) -> None:
    hold = make_upcoming(BookingState.HELD, hold_expires_at=now + timedelta(minutes=5))
    payment = make_payment(reference=str(hold.id))
    sandbox.fault("calcom", "refuse", "bookings.create")
    with pytest.raises(ProviderError):
        _deliver("payment.captured", payment_id=payment.id, reference=hold.id)

    _deliver("payment.captured", payment_id=payment.id, reference=hold.id)

    hold.refresh_from_db()
    assert (hold.state, _topics()) == (BookingState.PENDING, ["calendar.create"])
    _deliver("calendar.create", booking_id=hold.id, now=now + timedelta(minutes=1))
    hold.refresh_from_db()
    assert (hold.state, _topics()) == (BookingState.CONFIRMED, ["email.confirmation"])


@pytest.mark.parametrize("topic", ["consent.withdrawn", "consent.withdrawn.staff"])
def test_withdrawal_is_told_once(sandbox: SandboxProcess, topic: str) -> None:
    _deliver_twice(topic, consent_id=make_upcoming().consent_id)

    assert [mail["text"].count("/manage/") for mail in sandbox.mailbox()] == [1 if topic == "consent.withdrawn" else 0]


def test_calendar_create_books_once(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _paid_booking(now)

    _deliver_twice("calendar.create", booking_id=booking.id)

    booking.refresh_from_db()
    assert (booking.state, _topics()) == (BookingState.CONFIRMED, ["email.confirmation"])
    assert sandbox.calls("calcom.bookings.create") == 1


def test_calendar_create_waits_for_whoever_is_asking_already(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _paid_booking(now)
    Booking.objects.update(calendar_asked_at=now)

    with pytest.raises(RetryLater):
        _deliver("calendar.create", booking_id=booking.id, now=now)

    assert sandbox.calls("calcom.bookings.create") == 0


def test_email_confirmation_goes_out_once(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()

    _deliver_twice("email.confirmation", booking_id=booking.id)

    assert [(mail["to"], mail["subject"]) for mail in sandbox.mailbox()] == [
        (["jane@example.com"], "Your appointment is confirmed")
    ]
    assert SentMail.objects.values_list("template", "about").get() == ("confirmation", f"booking:{booking.id}")


def test_email_confirmation_of_a_cancelled_session_is_not_sent(sandbox: SandboxProcess) -> None:
    booking = make_upcoming(BookingState.CANCELLED)

    _deliver("email.confirmation", booking_id=booking.id)

    assert sandbox.mailbox() == []


def test_calendar_cancel_clears_the_calendar_once(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _paid_booking(now)
    _deliver("calendar.create", booking_id=booking.id)
    cancel_by_client(booking_id=booking.id, now=now)

    _deliver_twice("calendar.cancel", booking_id=booking.id)

    assert [item["status"] for item in sandbox.state()["calcom"]["bookings"]] == ["cancelled"]


def test_email_cancelled_goes_out_once_with_a_file_that_removes_the_entry(sandbox: SandboxProcess) -> None:
    booking = make_upcoming(BookingState.CANCELLED)

    _deliver_twice("email.cancelled", booking_id=booking.id)

    (mail,) = sandbox.mailbox()
    file = mail["attachments"][0]["text"].splitlines()
    assert (mail["to"], mail["subject"]) == (["jane@example.com"], "Your appointment is cancelled")
    assert [line for line in ("METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:1") if line not in file] == []


def test_email_slot_lost_goes_out_once(sandbox: SandboxProcess) -> None:
    booking = make_upcoming(BookingState.REJECTED, payment=make_payment())
    assert booking.payment is not None

    _deliver_twice("email.slot_lost", booking_id=booking.id, payment_id=booking.payment.id)

    assert [mail["subject"] for mail in sandbox.mailbox()] == ["Please choose another time for your appointment"]


def _lost_call(locale: str = "en") -> Booking:
    slot = local(next_slot())
    wish = make_wish(session_type="free", session_format=None, day=slot.date(), clock=slot.time())
    return make_upcoming(BookingState.REJECTED, wish=wish, locale=locale, updated_at=datetime.now(UTC))


@pytest.mark.parametrize(("locale", "why"), [("en", "this time was no longer free"), ("hi", "हमें खेद है")])
def test_email_slot_lost_tells_of_a_free_call_without_a_word_of_money(
    locale: str, why: str, sandbox: SandboxProcess
) -> None:
    booking = _lost_call(locale)

    _deliver_twice("email.slot_lost", booking_id=booking.id)

    (mail,) = sandbox.mailbox()
    words = ("pay", "money", "भुगतान", "पैसे")
    assert (why in mail["text"], "/?session=free" in mail["text"]) == (True, True)
    assert [word for word in words if word in mail["text"] or word in mail["html"]] == []


def test_email_slot_lost_of_a_free_call_is_not_sent_to_whoever_has_chosen_again(sandbox: SandboxProcess) -> None:
    lost = _lost_call()
    slot = local(next_slot(12))
    wish = make_wish(session_type="free", session_format=None, day=slot.date(), clock=slot.time())
    make_upcoming(BookingState.CONFIRMED, wish=wish)

    _deliver("email.slot_lost", booking_id=lost.id)

    assert sandbox.mailbox() == []


def test_email_slot_lost_is_not_sent_to_whoever_has_chosen_again(sandbox: SandboxProcess) -> None:
    payment = make_payment()
    lost = make_upcoming(BookingState.REJECTED, payment=payment)
    make_upcoming(BookingState.PENDING, hour=12, payment=payment)

    _deliver_twice("email.slot_lost", booking_id=lost.id, payment_id=payment.id)

    assert (sandbox.mailbox(), SentMail.objects.count()) == ([], 0)


@pytest.mark.parametrize("state", [RefundState.REQUESTED, RefundState.PENDING, RefundState.PROCESSED])
def test_email_slot_lost_promises_no_money_that_has_gone_back(state: RefundState, sandbox: SandboxProcess) -> None:
    payment = make_payment()
    lost = make_upcoming(BookingState.REJECTED, payment=payment)
    _refund(payment.id, state=state)

    _deliver("email.slot_lost", booking_id=lost.id, payment_id=payment.id)

    assert sandbox.mailbox() == []


def test_refund_processed_tells_the_client_once(sandbox: SandboxProcess) -> None:
    booking = make_upcoming(BookingState.REJECTED, payment=make_payment())
    assert booking.payment is not None
    refund = _refund(booking.payment.id)

    _deliver_twice("refund.processed", refund_id=refund.id)

    (mail,) = sandbox.mailbox()
    assert (mail["to"], "\N{INDIAN RUPEE SIGN}1,299" in mail["text"]) == (["jane@example.com"], True)


def test_refund_processed_of_a_hold_that_was_never_placed_finds_its_client(sandbox: SandboxProcess) -> None:
    hold = make_upcoming(BookingState.EXPIRED, wish=make_wish(customer=JOHN))
    refund = _refund(make_payment(reference=str(hold.id)).id)

    _deliver("refund.processed", refund_id=refund.id)

    assert [mail["to"] for mail in sandbox.mailbox()] == [["john@example.com"]]


def test_refund_processed_of_a_stranger_is_left_to_the_gateway(sandbox: SandboxProcess) -> None:
    _deliver_twice("refund.processed", refund_id=_refund(make_payment().id).id)

    assert sandbox.mailbox() == []


def test_webhook_calcom_has_the_calendar_asked_again(sandbox: SandboxProcess, now: datetime) -> None:
    listing_of(event_type="103", now=now)
    delivery = _webhook(now)

    _deliver_twice("webhook.calcom", delivery_id=delivery.id)
    listing_of(event_type="103", now=now + timedelta(seconds=5))

    delivery.refresh_from_db()
    assert (sandbox.calls("calcom.slots.list"), delivery.processed_at is None) == (2, False)


@pytest.mark.parametrize(
    "body",
    [
        {"triggerEvent": "BOOKING_CANCELLED", "payload": {"uid": "UID"}},
        {"triggerEvent": "BOOKING_NO_SHOW_UPDATED", "payload": {"bookingUid": "UID"}},
        {"triggerEvent": "MEETING_ENDED", "uid": "UID"},
    ],
)
def test_webhook_calcom_has_the_booking_follow(body: dict[str, Any], sandbox: SandboxProcess, now: datetime) -> None:
    booking = _paid_booking(now)
    _deliver("calendar.create", booking_id=booking.id)
    booking.refresh_from_db()
    uid = booking.calcom_booking_id or ""
    sandbox.change_booking(uid, "cancel")
    delivery = _webhook(now, json.dumps(body).replace("UID", uid))

    _deliver_twice("webhook.calcom", delivery_id=delivery.id)

    booking.refresh_from_db()
    delivery.refresh_from_db()
    assert (booking.state, _topics().count("email.cancelled")) == (BookingState.CANCELLED, 1)
    assert delivery.about == f"booking:{booking.id}"


def test_webhook_calcom_about_a_move_is_about_its_booking(sandbox: SandboxProcess, now: datetime) -> None:
    booking = _paid_booking(now)
    _deliver("calendar.create", booking_id=booking.id)
    booking.refresh_from_db()
    uid = booking.calcom_booking_id or ""
    sandbox.change_booking(uid, "reschedule", start=next_slot(15, days=5).isoformat())
    delivery = _webhook(now, json.dumps({"triggerEvent": "BOOKING_RESCHEDULED", "payload": {"uid": uid}}))

    _deliver("webhook.calcom", delivery_id=delivery.id)

    delivery.refresh_from_db()
    assert delivery.about == f"booking:{booking.id}"


@pytest.mark.parametrize("body", ["x", "{}", '{"payload": {"uid": 7}}', '{"payload": {"uid": "../../v2/me"}}'])
def test_webhook_calcom_about_nothing_changes_nothing(body: str, sandbox: SandboxProcess, now: datetime) -> None:
    delivery = _webhook(now, body)

    _deliver("webhook.calcom", delivery_id=delivery.id)

    delivery.refresh_from_db()
    assert (delivery.processed_at is None, delivery.about, Booking.objects.count()) == (False, "", 0)


def test_webhook_calcom_touches_only_the_days_that_it_names(sandbox: SandboxProcess, now: datetime) -> None:
    listing_of(event_type="103", now=now)
    day = now.date() + timedelta(days=3)
    span = {"startTime": f"{day}T05:00:00Z", "endTime": f"{day}T06:00:00Z"}
    delivery = _webhook(now, json.dumps({"triggerEvent": "BOOKING_CREATED", "payload": span}))
    _deliver("webhook.calcom", delivery_id=delivery.id)

    listing_of(event_type="103", now=now + timedelta(seconds=5), days=(day + timedelta(days=1),))
    others = sandbox.calls("calcom.slots.list")
    listing_of(event_type="103", now=now + timedelta(seconds=5), days=(day,))

    assert (others, sandbox.calls("calcom.slots.list")) == (1, 2)


def test_webhook_calcom_is_what_makes_it_ask(sandbox: SandboxProcess, now: datetime) -> None:
    listing_of(event_type="103", now=now)
    distrust_listings("102", now=now)

    listing_of(event_type="103", now=now + timedelta(seconds=5))

    assert sandbox.calls("calcom.slots.list") == 1


def _refund(payment_id: UUID, *, state: RefundState = RefundState.PROCESSED) -> Refund:
    return Refund.objects.create(
        payment_id=payment_id,
        state=state,
        reason=RefundReason.STAFF,
        amount_minor=129900,
        currency="INR",
        actor="staff:1",
        requested_at=datetime.now(UTC),
    )


def _webhook(now: datetime, body: str = "x") -> WebhookDelivery:
    return WebhookDelivery.objects.create(
        vendor="calcom",
        event_id=hashlib.sha256(b"x").hexdigest(),
        event_type="BOOKING_CREATED",
        body=body,
        body_digest=hashlib.sha256(b"x").hexdigest(),
        received_at=now,
    )
