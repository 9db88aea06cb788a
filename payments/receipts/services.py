"""Issue receipts and refund notes: once for each movement of money."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from mindfulqalb.audit.services import record
from payments.models import Payment, Refund
from payments.receipts.models import Receipt, ReceiptKind
from payments.receipts.numbering import accounting_year, next_number
from payments.states import RefundState

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from payments.money import Money


class NoMoneyMoved(Exception):
    """A receipt was asked for money that has not come, or a note for money that has not gone: a fault in our code."""


@dataclass(frozen=True)
class Recipient:
    """For whom a paper is, as far as the caller knows, what was paid for, and in which language they read."""

    name: str = ""
    item: str = ""
    locale: str = "en"


def issue_receipt(*, payment_id: UUID, recipient: Recipient, now: datetime) -> Receipt:
    """Issue the receipt of a captured payment, or return the one that was issued. Raises NoMoneyMoved."""
    with transaction.atomic():
        payment = Payment.objects.locked(payment_id)
        known = payment.receipts.filter(kind=ReceiptKind.PAYMENT).first()
        if known is not None:
            return known
        if not payment.is_captured:
            raise NoMoneyMoved
        receipt = Receipt(kind=ReceiptKind.PAYMENT, payment=payment)
        return _issue(receipt, payment.captured, recipient, payment.provider_payment_id or "", now)


def issue_refund_note(*, refund_id: UUID, recipient: Recipient, now: datetime) -> Receipt:
    """Issue the note of a refund that was paid, or return the one that was issued. Raises NoMoneyMoved."""
    with transaction.atomic():
        payment = Payment.objects.locked(Refund.objects.values_list("payment_id", flat=True).get(id=refund_id))
        refund = Refund.objects.get(id=refund_id)
        known = Receipt.objects.filter(refund=refund).first()
        if known is not None:
            return known
        if refund.state != RefundState.PROCESSED:
            raise NoMoneyMoved
        note = Receipt(kind=ReceiptKind.REFUND, payment=payment, refund=refund)
        return _issue(note, refund.amount, recipient, refund.provider_refund_id or "", now)


def _issue(receipt: Receipt, amount: Money, recipient: Recipient, vendor_id: str, now: datetime) -> Receipt:
    receipt.amount_minor, receipt.currency = amount.amount_minor, amount.currency
    receipt.issued_at = now
    receipt.content = json.dumps(_content(receipt.payment, recipient, vendor_id), ensure_ascii=False, sort_keys=True)
    receipt.year = accounting_year(now)
    receipt.sequence = next_number(kind=ReceiptKind(receipt.kind), year=receipt.year)
    receipt.save(force_insert=True)
    record(
        action="receipt.issued" if receipt.kind == ReceiptKind.PAYMENT else "refund_note.issued",
        actor="system",
        target=f"payment:{receipt.payment_id}",
        now=now,
        details={"number": receipt.number, "amount": receipt.amount_minor, "currency": receipt.currency},
    )
    return receipt


def _content(payment: Payment, recipient: Recipient, vendor_id: str) -> dict[str, object]:
    """All that the paper will ever say besides its number and amount: the settings may be others next year."""
    original = payment.receipts.filter(kind=ReceiptKind.PAYMENT).first()
    return {
        "practice": {
            "name": settings.PRACTICE_LEGAL_NAME,
            "address": [line.strip() for line in settings.PRACTICE_ADDRESS.split(";") if line.strip()],
            "email": settings.PRACTICE_EMAIL,
            "tax_line": settings.PRACTICE_TAX_LINE,
            "time_zone": settings.PRACTICE_TIME_ZONE,
        },
        "recipient": asdict(recipient) | {"item": recipient.item or payment.item},
        "gateway": payment.gateway.capitalize(),
        "vendor_id": vendor_id,
        "paid_at": payment.captured_at.isoformat() if payment.captured_at else "",
        "receipt": original.number if original else "",
    }
