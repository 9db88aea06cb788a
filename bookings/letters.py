"""What clients are told by mail about a booking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from bookings.calendar_file import calendar_file
from bookings.calendars import calendar
from bookings.credits import choose_again_url, credit_ends, credit_of, is_unspent
from bookings.links import manage_url
from bookings.practice_time import practice_zone
from bookings.receipts import booking_paid_by
from mindfulqalb.mail.services import Attachment, Letter
from payments.models import Payment, Refund
from payments.receipts.rendering import receipt_pdf

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from bookings.models import Booking
    from payments.receipts.models import Receipt


def confirmation_letter(booking: Booking, *, now: datetime) -> Letter:
    """Confirm a session, with its calendar file."""
    file = calendar_file(booking, now=now)
    return Letter(
        template="confirmation",
        recipient=booking.customer_email,
        context=_context(booking, now),
        about=f"booking:{booking.id}",
        attachments=(Attachment("session.ics", file, "text/calendar; method=PUBLISH"),),
        locale=booking.locale,
    )


def cancelled_letter(booking: Booking, *, now: datetime) -> Letter:
    """Say that it is cancelled and what goes back, with a calendar file that removes the entry."""
    refund = Refund.objects.filter(payment__bookings=booking).order_by("-requested_at").first()
    return Letter(
        template="cancelled",
        recipient=booking.customer_email,
        context={
            **_context(booking, now),
            "refund": refund.amount if refund else None,
            "credit": credit_of(booking),
            "booking_url": settings.SITE_URL,
        },
        about=f"booking:{booking.id}",
        attachments=(Attachment("session.ics", calendar_file(booking, now=now), "text/calendar; method=CANCEL"),),
        locale=booking.locale,
    )


def slot_lost_letter(booking: Booking, *, payment_id: UUID, now: datetime) -> Letter | None:
    """Say that the time is gone and the money is safe; None when it has bought another time or gone back meanwhile."""
    payment = Payment.objects.get(id=payment_id)
    if not is_unspent(payment):
        return None
    context = {
        **_context(booking, now),
        "choose_again_url": choose_again_url(payment),
        "credit_until": credit_ends(payment),
    }
    return Letter(
        template="slot_lost",
        recipient=booking.customer_email,
        context=context,
        about=f"booking:{booking.id}",
        locale=booking.locale,
    )


def receipt_letter(booking: Booking, receipt: Receipt, *, now: datetime) -> Letter:
    """Hand over the receipt of what was paid."""
    return Letter(
        template="receipt",
        recipient=booking.customer_email,
        context={**_context(booking, now), "amount": receipt.amount, "number": receipt.number},
        about=f"payment:{receipt.payment_id}",
        attachments=(_attached(receipt),),
        locale=booking.locale,
    )


def refunded_letter(note: Receipt, *, now: datetime) -> Letter | None:
    """Say what went back; None when nobody here knows whose money it was, for then only the gateway can tell them."""
    payment = note.payment
    booking = booking_paid_by(payment)
    if booking is None:
        return None
    return Letter(
        template="refunded",
        recipient=booking.customer_email,
        context={**_context(booking, now), "amount": note.amount, "payment_id": payment.provider_payment_id},
        about=f"payment:{payment.id}",
        attachments=(_attached(note),),
        locale=booking.locale,
    )


def _attached(receipt: Receipt) -> Attachment:
    return Attachment(f"{receipt.number}.pdf", receipt_pdf(receipt), "application/pdf")


def _context(booking: Booking, now: datetime) -> dict[str, Any]:
    uid = booking.calcom_booking_id
    return {
        "customer_first_name": booking.customer_first_name,
        "session_title": booking.offer.title,
        "starts_at": booking.starts_at,
        "ends_at": booking.ends_at,
        "time_zone": practice_zone(),
        "duration_minutes": booking.offer.duration_minutes,
        "confirmation_url": calendar().page_url(uid) if uid else None,
        "manage_url": manage_url(booking, now=now),
    }
