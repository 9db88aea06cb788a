"""Find payments, and what is left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import BigIntegerField, Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from payments.models import Dispute, Payment, Refund
from payments.money import Money
from payments.states import UNDECIDED, Attention, DisputeState, PaymentState, RefundState

if TYPE_CHECKING:
    from django.db.models import QuerySet

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
    """What can be sent back now of a captured payment: neither gone, nor on its way, nor in a bank's hands.

    Nothing can while a dispute is undecided: the client would be paid twice.
    """
    undecided, taken = _claims(payment)
    left = 0 if undecided else max(_balance(payment, taken), 0)
    return Money(left, payment.captured_currency)


def owable(payment: Payment) -> Money:
    """What may be promised to go back: also while a bank decides, for then the promise waits for it."""
    return Money(max(balance(payment), 0), payment.captured_currency)


def balance(payment: Payment) -> int:
    """What is here of a captured payment and not on its way back, in minor units.

    Less than nothing where a bank took what was to go back, or a hand in the dashboard was faster.
    """
    _, taken = _claims(payment)
    return _balance(payment, taken)


def given_instead(refund: Refund) -> int:
    """How much of a promised refund banks have given back since, in minor units: a sum was promised, whoever pays it.

    Never does more go back from both than had come. That alone counts where another refund was under way while this one
    waited: taken off both, the client would have too little.
    """
    payment = refund.payment
    lost = payment.disputes.filter(state=DisputeState.LOST)
    if not lost.exists():
        return 0
    others = payment.refunds.exclude(id=refund.id)
    is_alone = not others.filter(Q(settled_at=None) | Q(settled_at__gt=refund.requested_at)).exists()
    since = lost.filter(settled_at__gt=refund.requested_at) if is_alone else lost.none()
    given = since.aggregate(total=Sum("amount_minor", default=0))["total"]
    return max(int(given), -balance(payment))


def _balance(payment: Payment, taken: int) -> int:
    gone = payment.refunds.exclude(state=RefundState.FAILED).aggregate(total=Sum("amount_minor", default=0))["total"]
    return payment.captured.amount_minor - int(gone) - taken


def _claims(payment: Payment) -> tuple[int, int]:
    """Count the disputes that are undecided, and sum up what the lost ones took."""
    claims = payment.disputes.aggregate(
        undecided=Count("id", filter=Q(state__in=UNDECIDED)),
        taken=Sum("amount_minor", filter=Q(state=DisputeState.LOST), default=0),
    )
    return claims["undecided"], claims["taken"]


def is_disputed(payment: Payment) -> bool:
    """Whether a bank is still deciding about it."""
    return payment.disputes.filter(state__in=UNDECIDED).exists()


def is_untouched(payment: Payment) -> bool:
    """Whether all of it is here and undisputed: what was refunded in part buys no session any more."""
    is_whole = not payment.refunds.exclude(state=RefundState.FAILED).exists()
    return is_whole and not payment.disputes.exclude(state=DisputeState.WON).exists()


def has_gone_back(payment: Payment) -> bool:
    """Whether all of a captured payment has arrived back at the client, from us or by their bank."""
    back = payment.refunds.filter(state=RefundState.PROCESSED).aggregate(total=Sum("amount_minor", default=0))["total"]
    _, taken = _claims(payment)
    return bool(back + taken >= payment.captured.amount_minor)


def gone() -> Coalesce:
    """What went back of each payment of a queryset, or is on its way, in minor units."""
    return _total(Refund.objects.exclude(state=RefundState.FAILED))


def taken() -> Coalesce:
    """What banks took of each payment of a queryset, in minor units."""
    return _total(Dispute.objects.filter(state=DisputeState.LOST))


def _total(rows: QuerySet[Any]) -> Coalesce:
    summed = rows.filter(payment=OuterRef("pk")).values("payment").annotate(total=Sum("amount_minor"))
    return Coalesce(Subquery(summed.values("total")), 0, output_field=BigIntegerField())


def needing_a_person() -> QuerySet[Payment]:
    """Payments about which somebody must decide. What a bank has taken whole is decided: nothing is left to do."""
    left = F("captured_amount_minor") - gone() - taken()
    doubtful = Payment.objects.exclude(attention=Attention.NONE).annotate(left=left)
    return doubtful.exclude(attention=Attention.DISPUTE_LOST, left__lte=0)
