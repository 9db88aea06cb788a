"""`/v1/payment_intents` and `/v1/charges`: reading only, since Checkout makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, struck, vendor_call
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe.envelope import CHARGE, INTENT, STRIPE, expanded, missing, new_id, not_found
from mindfulqalb.sandbox.stripe.forms import read_params
from mindfulqalb.sandbox.stripe.sessions import altered

if TYPE_CHECKING:
    from django.http import HttpRequest


def make_intent(session: Record, amount: int, currency: str) -> Record:
    """Write the payment intent of a session; its metadata are those of `payment_intent_data` alone."""
    data = session["_payment_intent_data"]
    intent = {
        "id": new_id("pi"),
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": machine_now(),
        "currency": currency,
        "customer": None,
        "description": data.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": data.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": session["payment_method_types"],
        "receipt_email": data.get("receipt_email"),
        "status": "requires_payment_method",
    }
    store().put(INTENT, intent["id"], intent)
    return intent


def save_intent(intent: Record, **changes: Any) -> None:
    """Write a changed payment intent."""
    intent |= changes
    store().put(INTENT, intent["id"], intent)


def charge_intent(intent: Record, email: str | None) -> Record:
    """Let the money arrive: a charge, and the intent succeeded."""
    charge = {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "billing_details": {"address": None, "email": email, "name": None, "phone": None, "tax_id": None},
        "captured": True,
        "created": machine_now(),
        "currency": intent["currency"],
        "customer": None,
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "receipt_url": None,
        "refunded": False,
        "status": "succeeded",
    }
    store().put(CHARGE, charge["id"], charge)
    save_intent(
        intent,
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        payment_method=charge["payment_method"],
        last_payment_error=None,
    )
    return charge


def find_intent(intent_id: str, param: str = "intent") -> Record:
    """Return the payment intent. Raises StripeError 404."""
    intent = store().get(INTENT, intent_id)
    if intent is None:
        raise missing("payment_intent", intent_id, param)
    return intent


def find_charge(charge_id: str, param: str = "id") -> Record:
    """Return the charge. Raises StripeError 404."""
    charge = store().get(CHARGE, charge_id)
    if charge is None:
        raise missing("charge", charge_id, param)
    return charge


@vendor_call(STRIPE, "payment_intents.retrieve")
def retrieve_intent(request: HttpRequest, intent_id: str) -> Answer:
    """`GET /v1/payment_intents/{id}`."""
    params = read_params(request, {})
    shown = expanded(find_intent(intent_id), params.get("expand", []))
    return Answer(200, altered(shown, struck(request)))


@vendor_call(STRIPE, "charges.retrieve")
def retrieve_charge(request: HttpRequest, charge_id: str) -> Answer:
    """`GET /v1/charges/{id}`."""
    params = read_params(request, {})
    shown = expanded(find_charge(charge_id), params.get("expand", []))
    return Answer(200, altered(shown, struck(request)))


one_intent = by_method(GET=retrieve_intent, otherwise=not_found)
one_charge = by_method(GET=retrieve_charge, otherwise=not_found)
