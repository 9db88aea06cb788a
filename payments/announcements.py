"""Tell of money that has come: to whoever waits for it, and to people where they must look."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mindfulqalb.audit.services import record
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime

    from payments.models import Payment

logger = logging.getLogger(__name__)


def announce_capture(payment: Payment, *, now: datetime) -> None:
    """Keep a trace of a capture in the transaction that took note of it, and tell who is concerned."""
    details = {
        "amount": payment.captured_amount_minor,
        "currency": payment.captured_currency,
        "attention": payment.attention,
    }
    actor = f"vendor:{payment.gateway}"
    record(action="payment.captured", actor=actor, target=f"payment:{payment.id}", now=now, details=details)
    if payment.attention:
        alert(payment)
    else:
        offer_money(payment, now=now)


def offer_money(payment: Payment, *, now: datetime) -> None:
    """Have whatever the payment was made for completed with it."""
    enqueue(
        topic="payment.captured",
        lane=f"payment:{payment.id}",
        payload={"payment_id": str(payment.id), "reference": payment.reference},
        now=now,
    )


def alert(payment: Payment) -> None:
    """Call a person: an error in the log is what monitoring wakes somebody for."""
    logger.error("payment %s needs a person: %s", payment.id, payment.attention)
