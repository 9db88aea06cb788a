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


class Attention(models.TextChoices):
    """Why a person must look at a payment before it can buy anything."""

    NONE = "", "None"
    AMOUNT = "amount_mismatch", "Captured another amount or currency than asked"
    SECOND_CAPTURE = "second_capture", "Captured a second time for one order"


class ImpossibleMove(Exception):
    """A payment was to move in a way that the table does not allow: a fault in our code."""
