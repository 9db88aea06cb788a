"""What a customer does on the hosted page: pay at once, pay with a slow method, be declined."""

from __future__ import annotations

from typing import Any

from mindfulqalb.sandbox import faults
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe import events
from mindfulqalb.sandbox.stripe.envelope import SESSION, StripeError
from mindfulqalb.sandbox.stripe.intents import charge_intent, find_intent, make_intent, save_intent
from mindfulqalb.sandbox.stripe.sessions import find_session, present_session
from mindfulqalb.sandbox.timers import set_timer_in, timed

OUTCOMES = {
    "paid": "complete and paid",
    "delayed": "complete and unpaid; `settle` or `seconds` bring its end",
    "declined": "the card is declined; the session stays open",
}
SETTLEMENTS = ("succeeded", "failed")
DECLINED = {
    "code": "card_declined",
    "decline_code": "generic_decline",
    "message": "Your card was declined.",
    "type": "card_error",
}
NOT_OPEN = "You're all done here: this Checkout Session is {status}."


def pay(session_id: str, outcome: str, found: list[Record], seconds: float | None = None) -> dict[str, Any]:
    """Act on an open session and return it. Raises StripeError when it is not open or the outcome is unknown.

    With `seconds` (or the late_authorization fault) a delayed payment succeeds by itself after that time.
    """
    session = find_session(session_id)
    late = faults.find(found, "late_authorization")
    if late:
        outcome, seconds = "delayed", late["seconds"]
    if outcome not in OUTCOMES:
        raise StripeError(f"Invalid outcome: must be one of {', '.join(OUTCOMES)}", param="outcome")
    if session["status"] != "open":
        raise StripeError(NOT_OPEN.format(status=session["status"]))
    _act(session, outcome, found)
    if outcome == "delayed" and seconds is not None:
        set_timer_in("stripe.settle", seconds, {"session": session_id})
    return present_session(session)


def _act(session: Record, outcome: str, found: list[Record]) -> None:
    intent = _intent_of(session, found)
    if outcome == "declined":
        save_intent(intent, status="requires_payment_method", last_payment_error=DECLINED)
        return
    if outcome == "paid":
        charge_intent(intent, session["customer_email"])
    else:
        save_intent(intent, status="processing")
    status = "paid" if outcome == "paid" else "unpaid"
    session |= {"status": "complete", "payment_status": status, "url": None}
    store().put(SESSION, session["id"], session)
    events.announce("checkout.session.completed", present_session(session))


def _intent_of(session: Record, found: list[Record]) -> Record:
    """Return the session's payment intent; the first attempt makes it, with what a fault wants to be paid."""
    if session["payment_intent"]:
        return find_intent(session["payment_intent"])
    amount, currency = faults.find(found, "amount_altered"), faults.find(found, "currency_altered")
    if amount:
        session |= {"amount_total": int(amount["amount"]), "amount_subtotal": int(amount["amount"])}
    if currency:
        session["currency"] = currency["currency"].lower()
    intent = make_intent(session, session["amount_total"], session["currency"])
    session["payment_intent"] = intent["id"]
    store().put(SESSION, session["id"], session)
    return intent


def settle(session_id: str, status: str) -> dict[str, Any]:
    """Bring a delayed payment to its end: succeeded or failed. Raises StripeError."""
    session = find_session(session_id)
    if status not in SETTLEMENTS:
        raise StripeError(f"Invalid status: must be one of {', '.join(SETTLEMENTS)}", param="status")
    if (session["status"], session["payment_status"]) != ("complete", "unpaid"):
        raise StripeError("Only a session that is complete and unpaid can be settled.")
    intent = find_intent(session["payment_intent"])
    if intent["status"] != "processing":
        raise StripeError("The delayed payment has come to its end already.")
    if status == "succeeded":
        charge_intent(intent, session["customer_email"])
        session["payment_status"] = "paid"
        store().put(SESSION, session_id, session)
        events.announce("checkout.session.async_payment_succeeded", present_session(session))
    else:
        save_intent(intent, status="requires_payment_method", last_payment_error=DECLINED)
        events.announce("checkout.session.async_payment_failed", present_session(session))
    return present_session(session)


@timed("stripe.settle")
def _settle_later(details: Record) -> None:
    session = find_session(details["session"])
    if session["payment_status"] == "unpaid" and find_intent(session["payment_intent"])["status"] == "processing":
        settle(details["session"], "succeeded")
