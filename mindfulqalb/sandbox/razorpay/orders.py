"""`/v1/orders`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, struck, vendor_call
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.razorpay.altering import altered
from mindfulqalb.sandbox.razorpay.envelope import (
    ORDER,
    PAYMENT,
    RAZORPAY,
    UNKNOWN_ID,
    RazorpayError,
    checked_amount,
    checked_notes,
    collection,
    new_id,
    not_found,
    page,
    read_body,
)
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.switches import switch

if TYPE_CHECKING:
    from django.http import HttpRequest

FIELDS = {
    "amount",
    "currency",
    "receipt",
    "notes",
    "payment",
    "payment_capture",
    "partial_payment",
    "first_payment_min_amount",
    "customer_id",
    "method",
    "offer_id",
    "unique_receipt",
}
LONGEST_RECEIPT = 40
SHORTEST_EXPIRY, LONGEST_EXPIRY = 12, 7200  # minutes
INTERNAL = {"capture"}


@vendor_call(RAZORPAY, "orders.create")
def create_order(request: HttpRequest) -> Answer:
    """`POST /v1/orders`. A known receipt is refused; with `unique_receipt` it answers the same order again."""
    body = read_body(request)
    _check(body)
    receipt = body.get("receipt")
    known = _by_receipt(receipt) if receipt else []
    if known and body.get("unique_receipt"):
        order = known[0]
    elif known and switch("razorpayUniqueReceipts"):
        raise RazorpayError("Order receipt should be unique.", field="receipt")
    else:
        order = _make(body)
    return Answer(200, altered(present_order(order), struck(request)))


def _check(body: dict[str, Any]) -> None:
    unknown = sorted(set(body) - FIELDS)
    if unknown:
        raise RazorpayError(f"{', '.join(unknown)} is/are not required and should not be sent", field=unknown[0])
    for name in ("amount", "currency"):
        if body.get(name) in (None, ""):
            raise RazorpayError(f"The {name} field is required.", field=name)
    currency = body["currency"]
    if not isinstance(currency, str) or not re.fullmatch("[A-Z]{3}", currency):
        raise RazorpayError("Currency is not supported", field="currency")
    checked_amount(body["amount"], currency)
    if len(str(body.get("receipt") or "")) > LONGEST_RECEIPT:
        raise RazorpayError("The receipt may not be greater than 40 characters.", field="receipt")


def _by_receipt(receipt: str) -> list[Record]:
    return [order for order in store().all(ORDER) if order["receipt"] == receipt]


def _make(body: dict[str, Any]) -> Record:
    order = {
        "id": new_id("order"),
        "entity": "order",
        "amount": body["amount"],
        "amount_paid": 0,
        "amount_due": body["amount"],
        "currency": body["currency"],
        "receipt": body.get("receipt"),
        "offer_id": None,
        "status": "created",
        "attempts": 0,
        "notes": checked_notes(body.get("notes")),
        "created_at": machine_now(),
        "capture": _capture_mode(body),
    }
    store().put(ORDER, order["id"], order)
    return order


def _capture_mode(body: dict[str, Any]) -> str:
    """Return automatic (the account's default) or manual."""
    if str(body.get("payment_capture", 1)) == "0":
        return "manual"
    payment = body.get("payment") or {}
    mode = payment.get("capture", "automatic") if isinstance(payment, dict) else ""
    if mode not in {"automatic", "manual"}:
        raise RazorpayError("The selected payment.capture is invalid.", field="payment.capture")
    _check_capture_options(payment.get("capture_options") or {})
    return str(mode)


def _check_capture_options(options: dict[str, Any]) -> None:
    automatic, manual = (options.get(f"{mode}_expiry_period", 7200) for mode in ("automatic", "manual"))
    if not SHORTEST_EXPIRY <= automatic <= manual <= LONGEST_EXPIRY:
        raise RazorpayError("The capture options are invalid.", field="payment.capture_options")


def present_order(order: Record) -> dict[str, Any]:
    """Return the order entity."""
    return {name: value for name, value in order.items() if name not in INTERNAL}


def find_order(order_id: str) -> Record:
    """Return the order. Raises RazorpayError 400, as Razorpay does for an unknown id."""
    order = store().get(ORDER, order_id)
    if order is None:
        raise RazorpayError(UNKNOWN_ID)
    return order


def payments_of(order_id: str) -> list[Record]:
    """Return the payments tried on an order, oldest first."""
    return [payment for payment in store().all(PAYMENT) if payment["order_id"] == order_id]


@vendor_call(RAZORPAY, "orders.fetch")
def fetch_order(request: HttpRequest, order_id: str) -> Answer:
    """`GET /v1/orders/:id`."""
    return Answer(200, altered(present_order(find_order(order_id)), struck(request)))


@vendor_call(RAZORPAY, "orders.list")
def list_orders(request: HttpRequest) -> Answer:
    """`GET /v1/orders`, by receipt if one is given, newest first."""
    receipt = request.GET.get("receipt")
    found = _by_receipt(receipt) if receipt else store().all(ORDER)
    return collection([altered(present_order(order), struck(request)) for order in page(request, found)])


@vendor_call(RAZORPAY, "orders.payments")
def list_order_payments(request: HttpRequest, order_id: str) -> Answer:
    """`GET /v1/orders/:id/payments`: failed and captured attempts together."""
    find_order(order_id)
    return collection([altered(payment, struck(request)) for payment in payments_of(order_id)[::-1]])


orders = by_method(GET=list_orders, POST=create_order, otherwise=not_found)
one_order = by_method(GET=fetch_order, otherwise=not_found)
order_payments = by_method(GET=list_order_payments, otherwise=not_found)
