"""`/v1/refunds`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox import faults
from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, struck, vendor_call
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.money import written
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe import events
from mindfulqalb.sandbox.stripe.envelope import (
    CHARGE,
    REFUND,
    STRIPE,
    StripeError,
    expanded,
    list_of,
    missing,
    new_id,
    not_found,
    page,
    stripe_post,
)
from mindfulqalb.sandbox.stripe.forms import Shape, is_integer, is_metadata, is_text, one_of, read_params
from mindfulqalb.sandbox.stripe.intents import find_charge, find_intent
from mindfulqalb.sandbox.stripe.session_params import LIST_SHAPE
from mindfulqalb.sandbox.stripe.sessions import altered
from mindfulqalb.sandbox.timers import set_timer_in, timed

if TYPE_CHECKING:
    from django.http import HttpRequest

SHAPE: Shape = {
    "payment_intent": is_text,
    "charge": is_text,
    "amount": is_integer,
    "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
    "metadata": is_metadata,
    "instructions_email": is_text,
    "refund_application_fee": is_text,
    "reverse_transfer": is_text,
}
ENDS = {"processed": "succeeded", "succeeded": "succeeded", "failed": "failed", "canceled": "canceled"}


@stripe_post("refunds.create")
def create_refund(request: HttpRequest) -> Answer:
    """`POST /v1/refunds`. Two equal refunds under two keys are both accepted."""
    params = read_params(request, SHAPE)
    charge = _target(params)
    amount = _amount(params, charge)
    pending = faults.find(struck(request), "refund_pending")
    refund = make_refund(charge, amount, params, "pending" if pending else "succeeded")
    if pending and pending["then"]:
        details = {"refund": refund["id"], "status": pending["then"]}
        set_timer_in("stripe.settle_refund", pending["seconds"], details)
    return Answer(200, altered(expanded(refund, params.get("expand", [])), struck(request)))


def _target(params: dict[str, Any]) -> Record:
    if "payment_intent" in params:
        intent = find_intent(params["payment_intent"], "payment_intent")
        if intent["latest_charge"] is None:
            raise StripeError(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        return find_charge(intent["latest_charge"])
    if "charge" in params:
        return find_charge(params["charge"], "charge")
    raise StripeError("One of the following params should be provided for this request: payment_intent or charge.")


def _amount(params: dict[str, Any], charge: Record) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise StripeError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount: int = params.get("amount", left)
    if amount < 1:
        raise StripeError("Invalid positive integer", param="amount", code="parameter_invalid_integer")
    if amount > left:
        asked, remaining = written(amount, charge["currency"]), written(left, charge["currency"])
        sentence = f"Refund amount ({asked}) is greater than unrefunded amount on charge ({remaining})"
        raise StripeError(sentence, param="amount")
    return amount


def make_refund(charge: Record, amount: int, params: dict[str, Any], status: str) -> Record:
    """Write a refund, take it off the charge and tell of it."""
    refund = {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": machine_now(),
        "currency": charge["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    store().put(REFUND, refund["id"], refund)
    _take_off(charge, amount)
    events.announce_all([("refund.created", refund), ("charge.refunded", charge)])
    return refund


def _take_off(charge: Record, amount: int) -> None:
    """Count a refund on its charge; a negative amount gives a failed one back."""
    refunded = charge["amount_refunded"] + amount
    charge |= {"amount_refunded": refunded, "refunded": refunded == charge["amount"]}
    store().put(CHARGE, charge["id"], charge)


def settle_refund(refund_id: str, status: str) -> Record:
    """Bring a refund to its end: succeeded, failed or canceled (both give the amount back). Raises StripeError."""
    refund = find_refund(refund_id)
    if status not in ENDS:
        raise StripeError(f"Invalid status: must be one of {', '.join(ENDS)}", param="status")
    if refund["status"] in {ENDS[status], "failed", "canceled"}:
        raise StripeError(f"The refund is {refund['status']} already.")
    refund["status"] = ENDS[status]
    if refund["status"] != "succeeded":
        refund["failure_reason"] = "expired_or_canceled_card"
        _take_off(find_charge(refund["charge"]), -refund["amount"])
    store().put(REFUND, refund_id, refund)
    happened = [("refund.updated", refund)]
    if refund["status"] == "failed":
        happened.append(("refund.failed", refund))
    events.announce_all(happened)
    return refund


@timed("stripe.settle_refund")
def _settle_later(details: Record) -> None:
    if find_refund(details["refund"])["status"] == "pending":
        settle_refund(details["refund"], details["status"])


def find_refund(refund_id: str) -> Record:
    """Return the refund. Raises StripeError 404."""
    refund = store().get(REFUND, refund_id)
    if refund is None:
        raise missing("refund", refund_id, "id")
    return refund


@vendor_call(STRIPE, "refunds.retrieve")
def retrieve_refund(request: HttpRequest, refund_id: str) -> Answer:
    """`GET /v1/refunds/{id}`."""
    params = read_params(request, {})
    shown = expanded(find_refund(refund_id), params.get("expand", []))
    return Answer(200, altered(shown, struck(request)))


@vendor_call(STRIPE, "refunds.list")
def list_refunds(request: HttpRequest) -> Answer:
    """`GET /v1/refunds`, by payment intent or charge, newest first."""
    params = read_params(request, {**LIST_SHAPE, "payment_intent": is_text, "charge": is_text})
    chosen = {name: params[name] for name in ("payment_intent", "charge") if name in params}
    found = [r for r in store().all(REFUND) if all(r[name] == value for name, value in chosen.items())]
    refunds_page, has_more = page(params, found)
    shown = [altered(expanded(r, params.get("expand", [])), struck(request)) for r in refunds_page]
    return list_of("/v1/refunds", shown, has_more=has_more)


refunds = by_method(GET=list_refunds, POST=create_refund, otherwise=not_found)
one_refund = by_method(GET=retrieve_refund, otherwise=not_found)
