"""What bookings know about a payment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookings.models import Booking
from payments.timeline import Moment, recorded_about, tells_of_payments

if TYPE_CHECKING:
    from payments.models import Payment


@tells_of_payments
def sessions_paid_by(payment: Payment) -> list[Moment]:
    """Tell what happened to the hold that a payment was made for, and to every session that it was spent on."""
    sessions = Booking.objects.filter(payment=payment) if payment.provider_payment_id else Booking.objects.none()
    ids = {str(booking_id) for booking_id in sessions.values_list("id", flat=True)} | {payment.reference}
    return recorded_about(*(f"booking:{booking_id}" for booking_id in sorted(ids) if booking_id))
