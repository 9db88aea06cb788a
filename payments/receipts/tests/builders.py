"""Plain builders of receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payments.models import Payment, Refund
from payments.receipts.services import Recipient, issue_receipt, issue_refund_note
from payments.tests.builders import NOW, make_captured_payment

if TYPE_CHECKING:
    from payments.receipts.models import Receipt

PRIYA = Recipient(name="प्रिया शर्मा", item="Individual session", locale="en")


def make_refund(**overrides: Any) -> Refund:
    """A refund that was paid."""
    values: dict[str, Any] = {
        "state": "PROCESSED",
        "reason": "staff",
        "amount_minor": 64950,
        "currency": "INR",
        "actor": "system",
        "provider_refund_id": "rfnd_1",
        "requested_at": NOW,
        "settled_at": NOW,
    }
    return Refund.objects.create(
        **(values | overrides | {"payment": overrides.get("payment") or make_captured_payment()})
    )


def make_receipt(*, payment: Payment | None = None, recipient: Recipient = PRIYA, **overrides: Any) -> Receipt:
    """A receipt of a captured payment."""
    payment = payment or make_captured_payment()
    return issue_receipt(payment_id=payment.id, recipient=recipient, **({"now": NOW} | overrides))


def make_note(*, refund: Refund | None = None, recipient: Recipient = PRIYA, **overrides: Any) -> Receipt:
    """A note of a refund that was paid."""
    refund = refund or make_refund()
    return issue_refund_note(refund_id=refund.id, recipient=recipient, **({"now": NOW} | overrides))
