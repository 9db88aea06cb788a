"""Money that no session could be found for goes back by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from bookings.models import Booking
from bookings.states import GIVES_PAYMENT_BACK
from payments.models import Payment, Refund
from payments.refunds import request_refund
from payments.services import PaymentUnusable, lock_spendable
from payments.states import Attention, PaymentState, RefundReason

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet


def unplaced_payments(*, before: datetime) -> QuerySet[Payment]:
    """Payments captured before a moment that no booking holds and nothing went back of."""
    spent = Booking.objects.exclude(state__in=GIVES_PAYMENT_BACK).exclude(payment=None).values("payment")
    return Payment.objects.filter(
        state=PaymentState.CAPTURED, attention=Attention.NONE, captured_at__lte=before, refunds=None
    ).exclude(provider_payment_id__in=spent)


def refund_unplaced(*, now: datetime) -> int:
    """Send back what has bought no session within PAYMENT_CREDIT_HOURS, and return how many payments that were.

    Until then the client may choose another time, by the page or the link in the mail.
    """
    due = unplaced_payments(before=now - timedelta(hours=settings.PAYMENT_CREDIT_HOURS))
    return sum(_refund_if_unspent(payment_id, now) is not None for payment_id in due.values_list("id", flat=True))


def _refund_if_unspent(payment_id: UUID, now: datetime) -> Refund | None:
    """Look again under the payment's lock: the client may be choosing a time at this moment."""
    with transaction.atomic():
        try:
            payment = lock_spendable(payment_id)
        except PaymentUnusable:
            return None
        if Booking.objects.filter(payment=payment).exclude(state__in=GIVES_PAYMENT_BACK).exists():
            return None
        return request_refund(
            payment_id=payment_id, amount_minor=None, reason=RefundReason.UNSPENT, actor="system", now=now
        )
