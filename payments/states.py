"""The states of a payment and the moves between them."""

from __future__ import annotations

from django.db import models


class PaymentState(models.TextChoices):
    """Where the money is."""

    CREATED = "CREATED", "Created"
    PENDING = "PENDING", "Pending at the gateway"
    CAPTURED = "CAPTURED", "Captured"
    FAILED = "FAILED", "Failed"
    EXPIRED = "EXPIRED", "Expired"


# Failed and expired are not final: a bank may say yes days later. Captured never goes back.
ALLOWED = {
    PaymentState.CREATED: {PaymentState.PENDING, PaymentState.CAPTURED, PaymentState.FAILED, PaymentState.EXPIRED},
    PaymentState.PENDING: {PaymentState.CAPTURED, PaymentState.FAILED, PaymentState.EXPIRED},
    PaymentState.FAILED: {PaymentState.PENDING, PaymentState.CAPTURED},
    PaymentState.EXPIRED: {PaymentState.PENDING, PaymentState.CAPTURED},
    PaymentState.CAPTURED: set[PaymentState](),
}


class RefundState(models.TextChoices):
    """How far the way back is."""

    REQUESTED = "REQUESTED", "Requested"
    PENDING = "PENDING", "Under way at the gateway"
    PROCESSED = "PROCESSED", "Paid back"
    FAILED = "FAILED", "Failed"


# No answer is PENDING, and is asked again under the same key for ever. A bank may send money back days after PROCESSED.
# FAILED is an end: whoever tries again makes a new refund, for the gateway answers an old key with the old failure.
REFUND_MOVES = {
    RefundState.REQUESTED: {RefundState.PENDING},
    RefundState.PENDING: {RefundState.PROCESSED, RefundState.FAILED},
    RefundState.PROCESSED: {RefundState.FAILED},
    RefundState.FAILED: set[RefundState](),
}


class DisputeState(models.TextChoices):
    """How a client's bank stands to a dispute."""

    OPEN = "OPEN", "Waits for our answer"
    UNDER_REVIEW = "UNDER_REVIEW", "Looked at by the bank"
    WON = "WON", "Won, or dropped"
    LOST = "LOST", "Lost: the bank has taken the money"


# Banks take up again what they had settled, for us and against us; a lost one is sometimes reversed months later.
DISPUTE_MOVES = {
    DisputeState.OPEN: {DisputeState.UNDER_REVIEW, DisputeState.WON, DisputeState.LOST},
    DisputeState.UNDER_REVIEW: {DisputeState.OPEN, DisputeState.WON, DisputeState.LOST},
    DisputeState.WON: {DisputeState.OPEN, DisputeState.UNDER_REVIEW, DisputeState.LOST},
    DisputeState.LOST: {DisputeState.OPEN, DisputeState.UNDER_REVIEW, DisputeState.WON},
}
UNDECIDED = (DisputeState.OPEN, DisputeState.UNDER_REVIEW)


class RefundReason(models.TextChoices):
    """Why money goes back."""

    CANCELLED_BY_CLIENT = "cancelled_by_client", "Cancelled by the client"
    CANCELLED_BY_PRACTICE = "cancelled_by_practice", "Cancelled by the practice"
    CANCELLED_IN_CALENDAR = "cancelled_in_calendar", "Cancelled in the calendar, by whom is not known"
    UNSPENT = "unspent", "Paid, and no session could be placed in time"
    SECOND_CAPTURE = "second_capture", "Paid twice for one order"
    SECOND_PAYMENT = "second_payment", "Paid twice for one session, by two orders"
    STAFF = "staff", "Decided by staff"
    EXTERNAL = "external", "Made at the gateway, not here"


class Attention(models.TextChoices):
    """Why a person must look at a payment before it can buy anything."""

    NONE = "", "None"
    AMOUNT = "amount_mismatch", "Captured another amount than asked"
    CURRENCY = "currency_mismatch", "Captured in another currency than asked"
    ORDER = "order_mismatch", "Captured for another order"
    MODE = "mode_mismatch", "Captured in the other mode, test or live"
    REFERENCE = "reference_mismatch", "Captured under another reference than ours"
    PRICE = "price_changed", "Paid after its order had ended, and the price has changed since"
    SECOND_CAPTURE = "second_capture", "Captured a second time for one order"
    REFUND_FAILED = "refund_failed", "A refund of it failed"
    DISPUTE = "dispute", "Disputed at the client's bank"
    DISPUTE_LOST = "dispute_lost", "Taken back by the client's bank"


# What a person may settle by accepting the payment as it is; of what a bank took, the rest if there is any.
ACCEPTABLE = (
    Attention.AMOUNT,
    Attention.CURRENCY,
    Attention.ORDER,
    Attention.MODE,
    Attention.REFERENCE,
    Attention.PRICE,
    Attention.REFUND_FAILED,
    Attention.DISPUTE_LOST,
)


class ImpossibleMove(Exception):
    """A payment was to move in a way that the table does not allow: a fault in our code."""
