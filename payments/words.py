"""How the back office speaks of money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.staff.subjects import teach_kind
from mindfulqalb.staff.words import Topic, teach, tells_details
from payments.money import Money
from payments.states import Attention, RefundReason

if TYPE_CHECKING:
    from collections.abc import Mapping

teach_kind("payment", "Payment", "payments.payment")
teach_kind("receipt", "Receipt", "receipts.receipt")
teach(
    Topic.ACT,
    {
        "payment.pending": "The gateway is still at it",
        "payment.captured": "The money arrived",
        "payment.failed": "An attempt to pay failed",
        "payment.expired": "The order was closed: it can be paid no more",
        "payment.accepted": "The payment was accepted as it was",
        "receipt.issued": "A receipt was issued",
        "receipt.seen": "The receipt was looked at",
        "refund_note.issued": "A refund note was issued",
        "refund.requested": "A refund was asked for",
        "refund.found": "A refund was found that was made at the gateway",
        "refund.processed": "The refund went out",
        "refund.failed": "The refund failed",
        "refund.left_to_the_bank": "The refund became less: the client's bank had taken a part of it already",
        "dispute.open": "The client's bank wants the money back, and waits for our answer",
        "dispute.under_review": "The client's bank looks at our answer",
        "dispute.won": "The dispute was won, or dropped",
        "dispute.lost": "The dispute was lost: the bank took the money",
    },
)
# https://razorpay.com/docs/webhooks/payloads/ and https://docs.stripe.com/api/events/types
teach(
    Topic.NEWS,
    {
        "order.paid": "the order is paid",
        "payment.authorized": "the client's bank has said yes",
        "payment.captured": "the money has arrived",
        "payment.failed": "an attempt to pay has failed",
        "payment.dispute.created": "the client's bank wants the money back",
        "payment.dispute.under_review": "the dispute is being looked at",
        "payment.dispute.action_required": "the dispute waits for our answer",
        "payment.dispute.won": "the dispute is won",
        "payment.dispute.lost": "the dispute is lost",
        "payment.dispute.closed": "the dispute is closed",
        "refund.created": "a refund is under way",
        "refund.updated": "there is news of a refund",
        "refund.processed": "a refund has gone out",
        "refund.speed_changed": "a refund goes at another speed",
        "refund.failed": "a refund has failed",
        "charge.refunded": "money goes back",
        "charge.refund.updated": "there is news of a refund",
        "charge.dispute.created": "the client's bank wants the money back",
        "charge.dispute.updated": "there is news of the dispute",
        "charge.dispute.closed": "the dispute is closed",
        "charge.dispute.funds_withdrawn": "the bank has taken the money",
        "charge.dispute.funds_reinstated": "the bank has given the money back",
        "checkout.session.completed": "the client has paid",
        "checkout.session.async_payment_succeeded": "the money has arrived",
        "checkout.session.async_payment_failed": "the payment has failed",
        "checkout.session.expired": "the order has run out",
        "payment_intent.succeeded": "the money has arrived",
    },
)
teach(
    Topic.WORK,
    {
        "payment.abandon": "close the order at the gateway",
        "payment.captured": "complete what the money was paid for",
        "refund.send": "have the gateway send the money back",
        "webhook.razorpay": "act on a message from Razorpay",
        "webhook.stripe": "act on a message from Stripe",
    },
)


@tells_details(is_money=True)
def amount(details: Mapping[str, Any]) -> str:
    """Tell how much, as money."""
    if "amount" not in details or "currency" not in details:
        return ""
    return str(Money(details["amount"], details["currency"]))


@tells_details(is_money=True)
def why(details: Mapping[str, Any]) -> str:
    """Tell why money goes back, or what is wrong with a payment; a bank's own code as it is."""
    code = str(details.get("reason") or details.get("attention") or "")
    for choices in (RefundReason, Attention):
        if code in choices.values:
            return _within_a_sentence(str(choices(code).label)) if code else ""
    return _within_a_sentence(code.replace("_", " "))


@tells_details()
def number(details: Mapping[str, Any]) -> str:
    """Tell a paper's number."""
    return str(details.get("number") or "")


def _within_a_sentence(label: str) -> str:
    return label[:1].lower() + label[1:]
