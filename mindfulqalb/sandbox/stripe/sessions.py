"""`/v1/checkout/sessions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox import faults
from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.browser import public_url
from mindfulqalb.sandbox.calls import by_method, struck, vendor_call
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe import events
from mindfulqalb.sandbox.stripe.envelope import (
    SESSION,
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
from mindfulqalb.sandbox.stripe.forms import is_text, one_of, read_params
from mindfulqalb.sandbox.stripe.session_params import LIST_SHAPE, SESSION_SHAPE
from mindfulqalb.sandbox.timers import set_timer_in, timed

if TYPE_CHECKING:
    from django.http import HttpRequest

SHORTEST_SECONDS, LONGEST_SECONDS = 30 * 60, 24 * 3600
SMALLEST_AMOUNTS = {"usd": 50, "eur": 50, "gbp": 30, "inr": 50}
CURRENCIES = {"inr", "usd", "eur", "gbp", "aed", "aud", "cad", "chf", "jpy", "sar", "sgd"}
TOO_SOON = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
TOO_LATE = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."


@stripe_post("sessions.create")
def create_session(request: HttpRequest) -> Answer:
    """`POST /v1/checkout/sessions`, in payment mode."""
    params = read_params(request, SESSION_SHAPE, ("mode", "success_url", "line_items"))
    session = _make(request, params)
    store().put(SESSION, session["id"], session)
    # The caller reckons with the machine's clock; a sandbox clock that was moved must not end the session at once.
    set_timer_in("stripe.expire", session["expires_at"] - machine_now(), {"session": session["id"]})
    return _shown(session, request, params)


def _make(request: HttpRequest, params: dict[str, Any]) -> Record:
    session_id = f"cs_test_{new_id('')[1:]}"
    items = [_line_item(item, index) for index, item in enumerate(params["line_items"])]
    return {
        "id": session_id,
        "object": "checkout.session",
        "livemode": False,
        "mode": "payment",
        "client_secret": None,
        "ui_mode": "hosted_page",
        "url": f"{public_url(request)}/stripe/pay/{session_id}",
        "_line_items": items,
        "_payment_intent_data": params.get("payment_intent_data", {}),
        **_times(params),
        **_figures(items),
        **_payer(params),
        **_wishes(params),
        **_nothing_paid(),
    }


def _times(params: dict[str, Any]) -> Record:
    created = machine_now()
    return {"created": created, "expires_at": _expiry(params, created)}


def _figures(items: list[Record]) -> Record:
    currency, total = _total(items)
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "currency": currency,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    }


def _payer(params: dict[str, Any]) -> Record:
    return {
        "customer": None,
        "customer_creation": "if_required",
        "customer_details": _customer(params.get("customer_email")),
        "customer_email": params.get("customer_email"),
    }


def _wishes(params: dict[str, Any]) -> Record:
    """What the caller chose, as Stripe shows it again."""
    chosen = ("billing_address_collection", "cancel_url", "client_reference_id", "locale", "submit_type")
    return {
        "adaptive_pricing": params.get("adaptive_pricing", {"enabled": True}),
        "custom_fields": [],
        "metadata": params.get("metadata", {}),
        "payment_method_types": params.get("payment_method_types", ["card"]),
        "shipping_options": [],
        "success_url": params["success_url"],
        **{name: params.get(name) for name in chosen},
    }


def _nothing_paid() -> Record:
    return {
        "payment_intent": None,
        "payment_link": None,
        "payment_status": "unpaid",
        "presentment_details": None,
        "status": "open",
    }


def _customer(email: str | None) -> dict[str, Any] | None:
    if email is None:
        return None
    return {"address": None, "email": email, "name": None, "phone": None, "tax_exempt": "none", "tax_ids": None}


def _expiry(params: dict[str, Any], created: int) -> int:
    expires_at: int = params.get("expires_at", created + LONGEST_SECONDS)
    if expires_at < created + SHORTEST_SECONDS:
        raise StripeError(TOO_SOON, param="expires_at")
    if expires_at > created + LONGEST_SECONDS:
        raise StripeError(TOO_LATE, param="expires_at")
    return expires_at


def _line_item(item: dict[str, Any], index: int) -> Record:
    name = f"line_items[{index}]"
    price = item.get("price_data")
    if price is None:
        raise StripeError("You must specify either `price` or `price_data`.", param=name, code="parameter_missing")
    for required in ("currency", "unit_amount", "product_data"):
        if required not in price:
            inner = f"{name}[price_data][{required}]"
            raise StripeError(f"Missing required param: {inner}.", param=inner, code="parameter_missing")
    currency = price["currency"].lower()
    if currency not in CURRENCIES:
        supported = ", ".join(sorted(CURRENCIES))
        sentence = f"Invalid currency: {currency}. Stripe currently supports these currencies: {supported}"
        raise StripeError(sentence, param=f"{name}[price_data][currency]")
    if price["unit_amount"] < 0:
        raise StripeError("Invalid non-negative integer", param=f"{name}[price_data][unit_amount]")
    quantity = item.get("quantity", 1)
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_subtotal": price["unit_amount"] * quantity,
        "amount_total": price["unit_amount"] * quantity,
        "currency": currency,
        "description": price["product_data"].get("name"),
        "quantity": quantity,
    }


def _total(items: list[Record]) -> tuple[str, int]:
    currencies = {item["currency"] for item in items}
    if len(currencies) != 1:
        raise StripeError("All prices on a Checkout Session must use the same currency.", param="line_items")
    currency, total = currencies.pop(), sum(item["amount_total"] for item in items)
    smallest = SMALLEST_AMOUNTS.get(currency, 1)
    if total < smallest:
        sentence = f"The Checkout Session's total amount due must add up to at least {smallest / 100:.2f} {currency}"
        raise StripeError(sentence, param="line_items", code="amount_too_small")
    return currency, total


def present_session(session: Record) -> dict[str, Any]:
    """Return the session as the API shows it."""
    return {name: value for name, value in session.items() if not name.startswith("_")}


def altered(shown: dict[str, Any], found: list[Record]) -> dict[str, Any]:
    """Return the object with the amount and currency that a fault wants it to show."""
    amount, currency = faults.find(found, "amount_altered"), faults.find(found, "currency_altered")
    if amount:
        names = {"amount_total", "amount_subtotal", "amount", "amount_received"} & set(shown)
        shown = {**shown, **dict.fromkeys(names, int(amount["amount"]))}
    if currency:
        shown = {**shown, "currency": currency["currency"].lower()}
    return shown


def _shown(session: Record, request: HttpRequest, params: dict[str, Any]) -> Answer:
    shown = expanded(present_session(session) | _line_items_if(session, params), _paths(params))
    return Answer(200, altered(shown, struck(request)))


def _paths(params: dict[str, Any]) -> list[str]:
    return [path for path in params.get("expand", []) if path != "line_items"]


def _line_items_if(session: Record, params: dict[str, Any]) -> dict[str, Any]:
    if "line_items" not in params.get("expand", []):
        return {}
    return {"line_items": line_item_list(session).body}


def line_item_list(session: Record) -> Answer:
    """Return what is sold in a session."""
    return list_of(f"/v1/checkout/sessions/{session['id']}/line_items", session["_line_items"])


def find_session(session_id: str) -> Record:
    """Return the session. Raises StripeError 404."""
    session = store().get(SESSION, session_id)
    if session is None:
        raise missing("checkout.session", session_id, "session")
    return session


@vendor_call(STRIPE, "sessions.retrieve")
def retrieve_session(request: HttpRequest, session_id: str) -> Answer:
    """`GET /v1/checkout/sessions/{id}`."""
    return _shown(find_session(session_id), request, read_params(request, {}))


@vendor_call(STRIPE, "sessions.line_items")
def list_line_items(request: HttpRequest, session_id: str) -> Answer:
    """`GET /v1/checkout/sessions/{id}/line_items`."""
    read_params(request, LIST_SHAPE)
    return line_item_list(find_session(session_id))


@vendor_call(STRIPE, "sessions.list")
def list_sessions(request: HttpRequest) -> Answer:
    """`GET /v1/checkout/sessions`, newest first."""
    shape = {
        **LIST_SHAPE,
        "payment_intent": is_text,
        "customer": is_text,
        "status": one_of("open", "complete", "expired"),
        "customer_details": {"email": is_text},
    }
    params = read_params(request, shape)
    chosen = {name: params[name] for name in ("payment_intent", "status", "customer") if name in params}
    found = [s for s in store().all(SESSION) if all(s[name] == value for name, value in chosen.items())]
    sessions_page, has_more = page(params, found)
    shown = [altered(expanded(present_session(s), _paths(params)), struck(request)) for s in sessions_page]
    return list_of("/v1/checkout/sessions", shown, has_more=has_more)


@stripe_post("sessions.expire")
def expire_session(request: HttpRequest, session_id: str) -> Answer:
    """`POST /v1/checkout/sessions/{id}/expire`: only while it is open."""
    params = read_params(request, {})
    session = find_session(session_id)
    if session["status"] != "open":
        sentence = 'Only Checkout Sessions with a status in ["open"] can be expired. '
        raise StripeError(f"{sentence}This Checkout Session has a status of `{session['status']}`.")
    expire(session)
    return _shown(session, request, params)


def expire(session: Record) -> None:
    """Close an open session and tell of it."""
    session |= {"status": "expired", "url": None}
    store().put(SESSION, session["id"], session)
    events.announce("checkout.session.expired", present_session(session))


@timed("stripe.expire")
def _expire_in_time(details: Record) -> None:
    session = store().get(SESSION, details["session"])
    if session and session["status"] == "open":
        expire(session)


sessions = by_method(GET=list_sessions, POST=create_session, otherwise=not_found)
one_session = by_method(GET=retrieve_session, otherwise=not_found)
session_expire = by_method(POST=expire_session, otherwise=not_found)
session_line_items = by_method(GET=list_line_items, otherwise=not_found)
