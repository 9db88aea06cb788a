"""What the outbox brings to bookings."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from uuid import UUID

from django.conf import settings

from bookings.credits import is_unspent
from bookings.ledger_report import ledger_letter
from bookings.letters import (
    address_corrected_letter,
    call_lost_letter,
    cancelled_letter,
    confirmation_letter,
    moved_letter,
    not_moved_letter,
    not_moved_staff_letter,
    pending_letter,
    receipt_letter,
    refunded_letter,
    reminder_letter,
    slot_lost_letter,
    unplaced_letter,
    withdrawn_letter,
    withdrawn_staff_letter,
)
from bookings.listings import distrust_listings
from bookings.models import Booking, Reminder
from bookings.receipts import write_receipt, write_refund_note
from bookings.reminders import may_still_go
from bookings.services.attendance import tell_attendance
from bookings.services.booking import place_paid_hold
from bookings.services.cancellation import clear_calendar
from bookings.services.correcting import correct_customer_email
from bookings.services.moving import give_up_move, move_in_calendar
from bookings.services.placement import place_in_calendar
from bookings.services.reconciliation import reconcile_uid
from bookings.services.rescheduling import move_of
from bookings.services.settling import put_back
from bookings.services.telling import note_unknown_payer
from bookings.states import BookingState
from bookings.webhooks import hint_of
from consent.models import ConsentRecord
from mindfulqalb.catalogue.queries import event_types_on_sale
from mindfulqalb.mail.corrections import Correction, Rewrite, corrects
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.queries import reader_of
from mindfulqalb.mail.sending import MailRefused
from mindfulqalb.mail.services import send_letter
from mindfulqalb.outbox.registry import Delivery, handles, on_dead
from mindfulqalb.webhooks.services import mark_processed
from payments.models import Payment
from payments.receipts.services import NoMoneyMoved


@handles("payment.captured")
def complete_hold(delivery: Delivery) -> None:
    """Place the hold that was paid for, and bring it into the calendar without waiting for its turn."""
    booking = place_paid_hold(
        payment_id=UUID(delivery.payload["payment_id"]),
        reference=delivery.payload["reference"],
        now=delivery.now,
    )
    if booking is not None:
        place_in_calendar(booking_id=booking.id, timeout=settings.CALENDAR_WORKER_TIMEOUT, now=delivery.now)


@handles("calendar.create")
def write_into_calendar(delivery: Delivery) -> None:
    """Bring a booking into the calendar."""
    place_in_calendar(
        booking_id=UUID(delivery.payload["booking_id"]),
        timeout=settings.CALENDAR_WORKER_TIMEOUT,
        now=delivery.now,
    )


@handles("calendar.move")
def move_within_calendar(delivery: Delivery) -> None:
    """Move a booking to the time that is held for it."""
    move_in_calendar(
        booking_id=UUID(delivery.payload["booking_id"]),
        timeout=settings.CALENDAR_WORKER_TIMEOUT,
        now=delivery.now,
    )


@handles("calendar.attendance")
def tell_calendar_who_came(delivery: Delivery) -> None:
    """Bring what staff have noted into the calendar."""
    tell_attendance(booking_id=UUID(delivery.payload["booking_id"]))


@handles("calendar.put_back")
def put_back_in_calendar(delivery: Delivery) -> None:
    """Move an appointment back to where our booking is, as staff have decided."""
    put_back(finding_id=UUID(delivery.payload["finding_id"]), now=delivery.now)


@on_dead("calendar.move")
def give_up_dead_move(delivery: Delivery) -> None:
    """Let the new time go that the calendar never gave or refused: it must not be kept for ever."""
    give_up_move(booking_id=UUID(delivery.payload["booking_id"]), was_silent=True, now=delivery.now)


@handles("calendar.cancel")
def take_out_of_calendar(delivery: Delivery) -> None:
    """Take a cancelled booking out of the calendar."""
    clear_calendar(booking_id=UUID(delivery.payload["booking_id"]), now=delivery.now)


@handles("email.cancelled")
def send_cancelled(delivery: Delivery) -> None:
    """Mail that it is cancelled, and what goes back."""
    booking = _booking_of(delivery)
    send_letter(letter=cancelled_letter(booking, now=delivery.now), key=delivery.message_id, now=delivery.now)


@handles("email.confirmation")
def send_confirmation(delivery: Delivery) -> None:
    """Mail the confirmation, unless it was cancelled while the mail server was away, and then the receipt."""
    booking = _booking_of(delivery)
    if booking.state != BookingState.CANCELLED:
        send_letter(letter=confirmation_letter(booking, now=delivery.now), key=delivery.message_id, now=delivery.now)
    if booking.payment is not None:
        # By itself: what may be wrong with a receipt must not keep anybody waiting for the time of their session.
        receipt = write_receipt(payment_id=booking.payment.id, now=delivery.now)
        send_letter(letter=receipt_letter(booking, receipt, now=delivery.now), key=receipt.id, now=delivery.now)


@handles("email.moved")
def send_moved(delivery: Delivery) -> None:
    """Mail the new time, unless it was cancelled while the mail server was away."""
    booking = _booking_of(delivery)
    if booking.state != BookingState.CANCELLED:
        send_letter(letter=moved_letter(booking, now=delivery.now), key=delivery.message_id, now=delivery.now)


@handles("email.not_moved")
def send_not_moved(delivery: Delivery) -> None:
    """Mail that it stays where it is, unless the client has chosen again by themselves."""
    booking = _booking_of(delivery)
    is_as_before = booking.state == BookingState.CONFIRMED and booking.sequence == delivery.payload["sequence"]
    if is_as_before and move_of(booking) is None:
        was_silent = bool(delivery.payload.get("was_silent"))
        letter = not_moved_letter(booking, was_silent=was_silent, now=delivery.now)
        send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("email.not_moved.staff")
def tell_staff_of_given_up_move(delivery: Delivery) -> None:
    """Mail the practice that a client's move was never answered."""
    letter = not_moved_staff_letter(_booking_of(delivery))
    send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("email.pending")
def send_pending(delivery: Delivery) -> None:
    """Mail that it takes longer, and that the money is here, where the calendar has not answered yet."""
    booking = _booking_of(delivery)
    if booking.state == BookingState.PENDING:
        send_letter(letter=pending_letter(booking, now=delivery.now), key=delivery.message_id, now=delivery.now)


@handles("email.reminder")
def send_reminder(delivery: Delivery) -> None:
    """Mail a reminder, unless it has become late, or the session has been moved or cancelled meanwhile."""
    reminder = Reminder.objects.select_related("booking__offer", "booking__therapist").get(
        id=UUID(delivery.payload["reminder_id"])
    )
    if may_still_go(reminder, now=delivery.now):
        letter = reminder_letter(reminder.booking, now=delivery.now)
        send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("email.slot_lost")
def send_slot_lost(delivery: Delivery) -> None:
    """Mail that the time is gone, where the client has not chosen again by themselves."""
    booking = _booking_of(delivery)
    if "payment_id" in delivery.payload:
        payment_id = UUID(delivery.payload["payment_id"])
        letter = slot_lost_letter(booking, payment_id=payment_id, now=delivery.now)
    else:
        letter = call_lost_letter(booking, now=delivery.now)
    if letter is not None:
        send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("email.unclaimed")
@handles("email.credit_ending")
def send_unplaced(delivery: Delivery) -> None:
    """Mail whoever paid that their money waits; staff see it where nobody knows who that is."""
    payment = Payment.objects.select_related("duplicate_of").get(id=UUID(delivery.payload["payment_id"]))
    if not is_unspent(payment):
        return
    letter = unplaced_letter(payment, is_ending=delivery.topic == "email.credit_ending", now=delivery.now)
    if letter.recipient:
        send_letter(letter=letter, key=delivery.message_id, now=delivery.now)
    else:
        note_unknown_payer(payment_id=payment.id, now=delivery.now)


@handles("refund.processed")
def send_refunded(delivery: Delivery) -> None:
    """Issue the note of a refund, and mail it; nothing when the bank has sent the money back to us meanwhile."""
    try:
        note = write_refund_note(refund_id=UUID(delivery.payload["refund_id"]), now=delivery.now)
    except NoMoneyMoved:
        return
    letter = refunded_letter(note, now=delivery.now)
    if letter is not None:
        send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("consent.withdrawn")
def send_withdrawn(delivery: Delivery) -> None:
    """Mail the client that we have stopped, with the links of what is still booked."""
    letter = withdrawn_letter(_consent_of(delivery), now=delivery.now)
    send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("consent.withdrawn.staff")
def tell_staff_of_withdrawal(delivery: Delivery) -> None:
    """Mail the practice that somebody has withdrawn."""
    letter = withdrawn_staff_letter(_consent_of(delivery), now=delivery.now)
    send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("email.ledger")
def send_ledger(delivery: Delivery) -> None:
    """Mail the books of a day."""
    letter = ledger_letter(day=date.fromisoformat(delivery.payload["day"]))
    send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("email.address_corrected")
def tell_earlier_address(delivery: Delivery) -> None:
    """Mail the address that was corrected, unless what it was told is purged, or nobody reads there."""
    mail = SentMail.objects.filter(id=UUID(delivery.payload["mail_id"])).first()
    if mail is not None:
        letter = address_corrected_letter(_booking_of(delivery), recipient=reader_of(mail))
        with suppress(MailRefused):
            send_letter(letter=letter, key=delivery.message_id, now=delivery.now)


@handles("webhook.calcom")
def work_on_webhook(delivery: Delivery) -> None:
    """Ask Cal.com for its free times, and what has become of the appointment: the body itself is only a hint."""
    hint = hint_of(delivery_id=UUID(delivery.payload["delivery_id"]))
    distrust_listings(*event_types_on_sale(), now=delivery.now, days=hint.days)
    booking = reconcile_uid(uid=hint.uid, now=delivery.now).booking if hint.uid else None
    # The body names the client: whoever asks what is held about them, or is to be forgotten, finds it by this.
    about = f"booking:{booking.id}" if booking else ""
    mark_processed(delivery_id=UUID(delivery.payload["delivery_id"]), now=delivery.now, about=about)


@corrects("booking", "payment")
def correct_where_it_is_booked(correction: Correction) -> Rewrite | None:
    """Take a client's corrected address over into their session."""
    return correct_customer_email(correction)


def _consent_of(delivery: Delivery) -> ConsentRecord:
    return ConsentRecord.objects.get(id=UUID(delivery.payload["consent_id"]))


def _booking_of(delivery: Delivery) -> Booking:
    return Booking.objects.select_related("offer", "therapist", "payment").get(id=UUID(delivery.payload["booking_id"]))
