"""Money that no session could be found for goes back: when the client says so, and in time by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from bookings.credits import credit_of
from bookings.models import Booking
from bookings.states import BookingState
from payments.models import Payment, Refund
from payments.queries import refundable
from payments.refunds import NothingToRefund, request_refund
from payments.states import Attention, PaymentState, RefundReason, RefundState

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

# The sweep that sends back comes every quarter of an hour; a bank may say yes days after it was asked.
SWEEP_LATE = timedelta(days=1)
BANK_LATE = timedelta(days=7)


def unplaced_payments(*, before: datetime) -> QuerySet[Payment]:
    """Payments that no booking holds since before a moment, and of which something is left.

    What went back in part buys no session any more, so the rest follows.
    """
    own = Booking.objects.filter(payment=OuterRef("provider_payment_id"))
    return (
        Payment.objects.filter(state=PaymentState.CAPTURED, attention=Attention.NONE, captured_at__lte=before)
        .exclude(Exists(own.spending()))
        .exclude(Exists(own.filter(payment_released_at__gt=before)))
        .annotate(gone=Coalesce(Sum("refunds__amount_minor", filter=~Q(refunds__state=RefundState.FAILED)), 0))
        .filter(gone__lt=F("captured_amount_minor"))
    )


def waiting_payments(*, now: datetime) -> QuerySet[Payment]:
    """Those that no booking holds, and that have not gone back by themselves yet; few, however many there ever were.

    Whatever waits came, or was given free with a session that was to be, within PAYMENT_CREDIT_HOURS: only there it
    looks, by indexes.
    """
    return (
        Payment.objects.filter(id__in=lately_free(now=now), state=PaymentState.CAPTURED, attention=Attention.NONE)
        .exclude(Exists(Booking.objects.spending().filter(payment=OuterRef("provider_payment_id"))))
        .annotate(gone=Coalesce(Sum("refunds__amount_minor", filter=~Q(refunds__state=RefundState.FAILED)), 0))
        .filter(gone__lt=F("captured_amount_minor"))
    )


def lately_free(*, now: datetime) -> QuerySet[Any, Any]:
    """Ids of the payments that came, or were given free, so lately that they may still wait."""
    since = now - timedelta(hours=settings.PAYMENT_CREDIT_HOURS) - SWEEP_LATE
    released = Booking.objects.filter(
        state=BookingState.CANCELLED, starts_at__gte=since, payment_released_at__gte=since, payment__isnull=False
    )
    recent = Payment.objects.filter(created_at__gte=since - BANK_LATE).values("id")
    return recent.union(Payment.objects.filter(provider_payment_id__in=released.values("payment")).values("id"))


def refund_unplaced(*, now: datetime) -> int:
    """Send back what has bought no session within PAYMENT_CREDIT_HOURS, and return how many payments that were.

    Until then the client may choose another time, by the page or the link in the mail.
    """
    due = unplaced_payments(before=now - timedelta(hours=settings.PAYMENT_CREDIT_HOURS))
    return sum(
        _refund_if_unspent(payment_id, RefundReason.UNSPENT, "system", now) is not None
        for payment_id in due.values_list("id", flat=True)
    )


def refund_credit(*, booking: Booking, now: datetime) -> Refund:
    """Send back, at the client's word, what a session that came to nothing has left them. Raises NothingToRefund."""
    credit = credit_of(booking)
    is_ours = booking.payment_released_at is not None
    reason = RefundReason.CANCELLED_BY_PRACTICE if is_ours else RefundReason.UNSPENT
    refund = _refund_if_unspent(credit.payment.id, reason, "client", now) if credit else None
    if refund is None:
        raise NothingToRefund
    return refund


def _refund_if_unspent(payment_id: UUID, reason: RefundReason, actor: str, now: datetime) -> Refund | None:
    """Look again under the payment's lock: the client may be choosing a time at this moment."""
    with transaction.atomic():
        payment = Payment.objects.locked(payment_id)
        is_spent = Booking.objects.spending().filter(payment=payment).exists()
        if is_spent or payment.attention or refundable(payment).amount_minor <= 0:
            return None
        return request_refund(payment_id=payment_id, amount_minor=None, reason=reason, actor=actor, now=now)
