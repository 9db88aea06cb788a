"""Receipts as bookings know them: whose money it was, and which papers a client's link shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from bookings.credits import payments_of
from bookings.models import Booking
from mindfulqalb.api.errors import NotFound
from payments.models import Payment, Refund
from payments.receipts.models import Receipt
from payments.receipts.services import Recipient, issue_receipt, issue_refund_note

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class UnknownReceipt(NotFound):
    """The number is not among this booking's papers."""

    code = "unknown_receipt"
    sentence = "There is no such receipt."


def booking_paid_by(payment: Payment) -> Booking | None:
    """Find the newest booking that a payment was spent on or made for, or that its order was paid twice for."""
    first = payment.duplicate_of or payment
    bookings = Booking.objects.select_related("offer", "therapist")
    spent = bookings.filter(payment=first).order_by("-created_at").first()
    if spent is not None or not first.reference:
        return spent
    return bookings.filter(id=first.reference).first()


def receipts_of(booking: Booking) -> list[Receipt]:
    """List the papers that a booking's client may have, oldest first; what became void is not among them."""
    payments = payments_of(booking).values("id")
    papers = Receipt.objects.filter(Q(payment__in=payments) | Q(payment__duplicate_of__in=payments))
    return [paper for paper in papers.select_related("refund").order_by("issued_at", "sequence") if not paper.is_void]


def receipt_of(booking: Booking, *, number: str) -> Receipt:
    """Find one of them by its number. Raises UnknownReceipt."""
    for receipt in receipts_of(booking):
        if receipt.number == number:
            return receipt
    raise UnknownReceipt


def write_receipt(*, payment_id: UUID, now: datetime) -> Receipt:
    """Issue the receipt of a payment to whoever it was booked for."""
    payment = Payment.objects.select_related("duplicate_of").get(id=payment_id)
    return issue_receipt(payment_id=payment_id, recipient=_recipient(payment), now=now)


def write_refund_note(*, refund_id: UUID, now: datetime) -> Receipt:
    """Issue the note of a refund to whoever it was booked for."""
    refund = Refund.objects.select_related("payment__duplicate_of").get(id=refund_id)
    return issue_refund_note(refund_id=refund_id, recipient=_recipient(refund.payment), now=now)


def _recipient(payment: Payment) -> Recipient:
    booking = booking_paid_by(payment)
    if booking is None:
        return Recipient()
    return Recipient(name=booking.customer_name, item=booking.offer.title, locale=booking.locale)
