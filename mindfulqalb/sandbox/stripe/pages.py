"""The hosted payment page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, struck, vendor_call
from mindfulqalb.sandbox.money import written
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe.envelope import SESSION, STRIPE, StripeError, not_found
from mindfulqalb.sandbox.stripe.paying import pay
from mindfulqalb.sandbox.stripe.sessions import find_session

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def pay_page(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show what is to be paid, or why it cannot be paid any more."""
    session = store().get(SESSION, session_id)
    context = {
        "session": session,
        "amount": written(session["amount_total"], session["currency"]) if session else "",
        "items": session["_line_items"] if session else [],
        "is_open": bool(session and session["status"] == "open"),
        "declined": request.GET.get("declined") == "yes",
    }
    return render(request, "sandbox/stripe_pay.html", context, status=200 if session else 404)


@vendor_call(STRIPE, "sessions.pay")
def press_button(request: HttpRequest, session_id: str) -> Answer:
    """Do what a button of the page says, and send the browser on."""
    outcome = request.POST.get("outcome", "")
    session = find_session(session_id)
    if outcome == "cancel":
        return _go(session["cancel_url"] or session["success_url"])
    try:
        pay(session_id, outcome, struck(request))
    except StripeError:
        return _go(f"/stripe/pay/{session_id}")
    if outcome == "declined":
        return _go(f"/stripe/pay/{session_id}?declined=yes")
    return _go(success_url(session))


def success_url(session: Record) -> str:
    """Return where a customer who has paid is sent."""
    return str(session["success_url"]).replace(PLACEHOLDER, session["id"])


def _go(url: str) -> Answer:
    return Answer(303, "", {"Location": url})


pay_button = by_method(GET=pay_page, POST=press_button, otherwise=not_found)
