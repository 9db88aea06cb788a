"""The bank of a client who wants their money back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from payments.reconciliation import apply_webhook
from payments.services import capture_payment
from payments.tests.builders import NOW, make_order

if TYPE_CHECKING:
    from payments.models import Payment
    from payments.tests.payers import Payer

PATHS = {"razorpay": "razorpay/payments", "stripe": "stripe/payment_intents"}


def paid_at(payer: Payer) -> Payment:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))
    return capture_payment(payment_id=payment.id, now=NOW)


def raise_dispute(payer: Payer, payment: Payment, amount: int | None = None) -> str:
    """Let the client's bank dispute a payment, and have us hear of it by webhook."""
    raised = payer.sandbox.dispute(PATHS[payer.name], str(payment.provider_payment_id), amount)
    hear_of_dispute(payer)
    return str(raised["id"])


def settle_dispute(payer: Payer, dispute_id: str, status: str) -> None:
    payer.sandbox.settle(f"{payer.name}/disputes", dispute_id, status)
    hear_of_dispute(payer)


def hear_of_dispute(payer: Payer) -> None:
    """Tell of the newest dispute as the gateway's webhook does."""
    dispute = payer.sandbox.state()[payer.name]["disputes"][-1]
    bodies = {
        "razorpay": {"event": "payment.dispute.created", "payload": {"dispute": {"entity": dispute}}},
        "stripe": {"type": "charge.dispute.created", "data": {"object": dispute}},
    }
    apply_webhook(gateway=payer.name, body=json.dumps(bodies[payer.name]), now=NOW)
