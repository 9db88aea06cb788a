"""Find payments, and what is left of them."""

from __future__ import annotations

from django.db.models import Sum

from payments.models import Payment
from payments.money import Money
from payments.states import PaymentState, RefundState

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


def refundable(payment: Payment) -> Money:
    """What of a captured payment has neither gone back nor is on its way."""
    gone = payment.refunds.exclude(state=RefundState.FAILED).aggregate(total=Sum("amount_minor"))["total"] or 0
    return Money((payment.captured_amount_minor or 0) - gone, payment.captured_currency)


def is_untouched(payment: Payment) -> bool:
    """Whether nothing has gone back of it: what was refunded in part buys no session any more."""
    return not payment.refunds.exclude(state=RefundState.FAILED).exists()


def has_gone_back(payment: Payment) -> bool:
    """Whether all of a captured payment has arrived back at the client."""
    back = payment.refunds.filter(state=RefundState.PROCESSED).aggregate(total=Sum("amount_minor"))["total"] or 0
    return bool(back >= (payment.captured_amount_minor or 0))
