"""`/v1/disputes`: a bank wants a payment's money back; the control API raises and settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, vendor_call
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.razorpay import events
from mindfulqalb.sandbox.razorpay.envelope import (
    RAZORPAY,
    UNKNOWN_ID,
    RazorpayError,
    collection,
    new_id,
    not_found,
    page,
)
from mindfulqalb.sandbox.razorpay.payments import find_payment
from mindfulqalb.sandbox.store import Record, store

if TYPE_CHECKING:
    from django.http import HttpRequest

DISPUTE = "razorpay.dispute"
STATUSES = ("open", "under_review", "won", "lost", "closed")
ANSWER_SECONDS = 7 * 24 * 3600


def raise_dispute(payment_id: str, amount: int | None) -> Record:
    """Let the client's bank dispute a captured payment, all of it unless told. Raises RazorpayError."""
    payment = find_payment(payment_id)
    if not payment["captured"]:
        raise RazorpayError("Only a captured payment can be disputed.")
    dispute = {
        "id": new_id("disp"),
        "entity": "dispute",
        "payment_id": payment_id,
        "amount": amount or payment["amount"],
        "currency": payment["currency"],
        "amount_deducted": 0,
        "reason_code": "goods_or_services_not_received_or_partially_received",
        "reason_description": "Goods or services not received",
        "respond_by": machine_now() + ANSWER_SECONDS,
        "status": "open",
        "phase": "chargeback",
        "created_at": machine_now(),
        "evidence": {"amount": amount or payment["amount"], "summary": None, "submitted_at": None},
    }
    store().put(DISPUTE, dispute["id"], dispute)
    events.announce_dispute(dispute, payment, "created")
    return dispute


def settle_dispute(dispute_id: str, status: str) -> Record:
    """Let the bank decide, or ask again. Raises RazorpayError."""
    dispute = find_dispute(dispute_id)
    if status not in STATUSES:
        raise RazorpayError(f"The status must be one of {', '.join(STATUSES)}.", field="status")
    dispute |= {"status": status, "amount_deducted": dispute["amount"] if status == "lost" else 0}
    store().put(DISPUTE, dispute_id, dispute)
    told = "action_required" if status == "open" else status
    events.announce_dispute(dispute, find_payment(dispute["payment_id"]), told)
    return dispute


def find_dispute(dispute_id: str) -> Record:
    """Return the dispute. Raises RazorpayError 400."""
    dispute = store().get(DISPUTE, dispute_id)
    if dispute is None:
        raise RazorpayError(UNKNOWN_ID)
    return dispute


@vendor_call(RAZORPAY, "disputes.fetch")
def fetch_dispute(request: HttpRequest, dispute_id: str) -> Answer:
    """`GET /v1/disputes/:id`."""
    return Answer(200, find_dispute(dispute_id))


@vendor_call(RAZORPAY, "disputes.list")
def list_disputes(request: HttpRequest) -> Answer:
    """`GET /v1/disputes`, newest first."""
    return collection(page(request, store().all(DISPUTE)))


disputes = by_method(GET=list_disputes, otherwise=not_found)
one_dispute = by_method(GET=fetch_dispute, otherwise=not_found)
