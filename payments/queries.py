"""Find payments, and what is left of them."""

from __future__ import annotations

from django.db.models import Count, Q, Sum

from payments.models import Payment
from payments.money import Money
from payments.states import UNDECIDED, DisputeState, PaymentState, RefundState

# A Checkout Session that failed is over; an order takes any number of attempts.
STILL_OPEN = {"razorpay": [PaymentState.CREATED, PaymentState.FAILED], "stripe": [PaymentState.CREATED]}


def open_payment_for(*, reference: str, gateway: str) -> Payment | None:
    """Find an order that the payer with this reference can still pay."""
    return (
        Payment.objects.filter(reference=reference, gateway=gateway, state__in=STILL_OPEN[gateway])
        .exclude(provider_order_id=None)
        .order_by("-created_at")
        .first()
    )


def paid_payment_for(*, reference: str) -> Payment | None:
    """Find what the payer with this reference has paid, or is paying just now: a second order could be paid as well."""
    return (
        Payment.objects.filter(
            reference=reference, state__in=[PaymentState.PENDING, PaymentState.CAPTURED], refunds=None
        )
        .order_by("-created_at")
        .first()
    )


def refundable(payment: Payment) -> Money:
    """What can be sent back of a captured payment: neither gone, nor on its way, nor in a bank's hands.

    Nothing can while a dispute is undecided: the client would be paid twice.
    """
    claims = payment.disputes.aggregate(
        undecided=Count("id", filter=Q(state__in=UNDECIDED)),
        lost=Sum("amount_minor", filter=Q(state=DisputeState.LOST), default=0),
    )
    if claims["undecided"]:
        return Money(0, payment.captured_currency)
    gone = payment.refunds.exclude(state=RefundState.FAILED).aggregate(total=Sum("amount_minor"))["total"] or 0
    left = (payment.captured_amount_minor or 0) - gone - claims["lost"]
    return Money(max(left, 0), payment.captured_currency)


def is_disputed(payment: Payment) -> bool:
    """Whether a bank is still deciding about it."""
    return payment.disputes.filter(state__in=UNDECIDED).exists()


def is_untouched(payment: Payment) -> bool:
    """Whether all of it is here and undisputed: what was refunded in part buys no session any more."""
    is_whole = not payment.refunds.exclude(state=RefundState.FAILED).exists()
    return is_whole and not payment.disputes.exclude(state=DisputeState.WON).exists()


def has_gone_back(payment: Payment) -> bool:
    """Whether all of a captured payment has arrived back at the client."""
    back = payment.refunds.filter(state=RefundState.PROCESSED).aggregate(total=Sum("amount_minor"))["total"] or 0
    return bool(back >= (payment.captured_amount_minor or 0))
