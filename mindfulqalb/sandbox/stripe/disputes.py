"""`/v1/disputes`: a bank wants a charge's money back; the control API raises and settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, vendor_call
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe import events
from mindfulqalb.sandbox.stripe.envelope import CHARGE, STRIPE, StripeError, list_of, missing, new_id, not_found, page
from mindfulqalb.sandbox.stripe.forms import is_text, read_params
from mindfulqalb.sandbox.stripe.intents import find_charge, find_intent
from mindfulqalb.sandbox.stripe.session_params import LIST_SHAPE

if TYPE_CHECKING:
    from django.http import HttpRequest

DISPUTE = "stripe.dispute"
STATUSES = (
    *("needs_response", "under_review", "won", "lost", "prevented"),
    *("warning_needs_response", "warning_under_review", "warning_closed"),
)
CLOSED = ("won", "lost", "warning_closed", "prevented")
ANSWER_SECONDS = 7 * 24 * 3600


def raise_dispute(intent_id: str, amount: int | None) -> Record:
    """Let the client's bank dispute a charge, all of it unless told. Raises StripeError."""
    intent = find_intent(intent_id)
    if intent["latest_charge"] is None:
        raise StripeError(f"This PaymentIntent ({intent_id}) does not have a charge to dispute.")
    charge = find_charge(intent["latest_charge"])
    store().put(CHARGE, charge["id"], charge | {"disputed": True})
    dispute = {
        "id": new_id("du"),
        "object": "dispute",
        "amount": amount or charge["amount"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": machine_now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {},
        "evidence_details": {
            "due_by": machine_now() + ANSWER_SECONDS,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": intent_id,
        "reason": "product_not_received",
        "status": "needs_response",
    }
    store().put(DISPUTE, dispute["id"], dispute)
    events.announce_all([("charge.dispute.created", dispute), ("charge.dispute.funds_withdrawn", dispute)])
    return dispute


def settle_dispute(dispute_id: str, status: str) -> Record:
    """Let the bank decide, or look at it. Raises StripeError."""
    dispute = find_dispute(dispute_id)
    if status not in STATUSES:
        raise StripeError(f"Invalid status: must be one of {', '.join(STATUSES)}", param="status")
    dispute["status"] = status
    store().put(DISPUTE, dispute_id, dispute)
    happened = [("charge.dispute.closed" if status in CLOSED else "charge.dispute.updated", dispute)]
    if status == "won":
        happened.append(("charge.dispute.funds_reinstated", dispute))
    events.announce_all(happened)
    return dispute


def find_dispute(dispute_id: str) -> Record:
    """Return the dispute. Raises StripeError 404."""
    dispute = store().get(DISPUTE, dispute_id)
    if dispute is None:
        raise missing("dispute", dispute_id, "id")
    return dispute


@vendor_call(STRIPE, "disputes.retrieve")
def retrieve_dispute(request: HttpRequest, dispute_id: str) -> Answer:
    """`GET /v1/disputes/{id}`."""
    read_params(request, {})
    return Answer(200, find_dispute(dispute_id))


@vendor_call(STRIPE, "disputes.list")
def list_disputes(request: HttpRequest) -> Answer:
    """`GET /v1/disputes`, by payment intent or charge, newest first."""
    params = read_params(request, {**LIST_SHAPE, "payment_intent": is_text, "charge": is_text})
    chosen = {name: params[name] for name in ("payment_intent", "charge") if name in params}
    found = [each for each in store().all(DISPUTE) if all(each[name] == value for name, value in chosen.items())]
    disputes_page, has_more = page(params, found)
    return list_of("/v1/disputes", disputes_page, has_more=has_more)


disputes = by_method(GET=list_disputes, otherwise=not_found)
one_dispute = by_method(GET=retrieve_dispute, otherwise=not_found)
