"""Money that bought no session yet, or no longer does: whose it is, and until when it waits to be used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Max, Q

from bookings.models import Booking
from bookings.states import BookingState
from payments.models import Payment, Refund
from payments.queries import is_disputed, is_untouched
from payments.states import RefundState

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from payments.money import Money

WITHOUT_SESSION = (BookingState.REJECTED, BookingState.EXPIRED, BookingState.CANCELLED)


@dataclass(frozen=True)
class Credit:
    """What a client may spend on another time, or have back; at `until` it goes back by itself."""

    payment: Payment
    until: datetime

    @property
    def amount(self) -> Money:
        """All that was paid."""
        return self.payment.captured

    @property
    def choose_again_url(self) -> str:
        """The booking page, with the money in hand."""
        return choose_again_url(self.payment)


@dataclass(frozen=True)
class RefundUnderWay:
    """Money on its way back; `waits_for_bank` while the client's bank is deciding about it."""

    amount: Money
    waits_for_bank: bool


def credit_of(booking: Booking) -> Credit | None:
    """Find the money of a booking that came to nothing, as long as it is neither spent again nor on its way back."""
    if booking.state not in WITHOUT_SESSION:
        return None
    payments = payments_of(booking).order_by("captured_at")
    unspent = next((payment for payment in payments if is_unspent(payment)), None)
    return Credit(unspent, credit_ends(unspent)) if unspent else None


def refund_under_way(booking: Booking) -> RefundUnderWay | None:
    """Find what is going back for a booking and has not left yet; what has left, its note says."""
    refunds = Refund.objects.filter(
        payment__in=payments_of(booking), state__in=[RefundState.REQUESTED, RefundState.PENDING]
    )
    refund = refunds.select_related("payment").order_by("-requested_at").first()
    return RefundUnderWay(refund.amount, is_disputed(refund.payment)) if refund else None


def payments_of(booking: Booking) -> QuerySet[Payment]:
    """Payments that were made for a booking, or that it was paid with."""
    own = Q(reference=str(booking.id))
    if booking.payment_id:
        own |= Q(provider_payment_id=booking.payment_id)
    return Payment.objects.filter(own)


def is_unspent(payment: Payment) -> bool:
    """Whether a payment could buy a session, and has bought none that it still pays for."""
    if not payment.is_spendable or not is_untouched(payment):
        return False
    return not Booking.objects.spending().filter(payment=payment).exists()


def credit_ends(payment: Payment) -> datetime:
    """Work out when unspent money goes back: counted from its coming, or from when the practice gave it free again."""
    released = Booking.objects.filter(payment=payment).aggregate(last=Max("payment_released_at"))["last"]
    since = [moment for moment in (payment.captured_at, released) if moment]
    return max(since) + timedelta(hours=settings.PAYMENT_CREDIT_HOURS)


def choose_again_url(payment: Payment) -> str:
    """Lead to the booking page with the payment in hand: another time is all that it asks for."""
    query = urlencode({"session": payment.item, "payment": payment.provider_payment_id})
    return f"{settings.SITE_URL}/?{query}"
