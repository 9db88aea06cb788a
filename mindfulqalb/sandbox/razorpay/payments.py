"""`/v1/payments`: what the merchant may ask of and do to a payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, struck, vendor_call
from mindfulqalb.sandbox.razorpay import events
from mindfulqalb.sandbox.razorpay.altering import altered
from mindfulqalb.sandbox.razorpay.envelope import (
    ORDER,
    PAYMENT,
    RAZORPAY,
    UNKNOWN_ID,
    RazorpayError,
    checked_amount,
    collection,
    not_found,
    page,
    read_body,
)
from mindfulqalb.sandbox.razorpay.orders import find_order
from mindfulqalb.sandbox.store import Record, store

if TYPE_CHECKING:
    from django.http import HttpRequest

ALREADY_CAPTURED = "This payment has already been captured"
NOT_AUTHORIZED = "Only payments which have been authorized and not yet captured can be captured"
OTHER_AMOUNT = "Capture amount must be equal to the amount authorized"
OTHER_CURRENCY = "Payment currency is not the same as the currency sent in the capture request"
FEE_SHARE = 0.02


def find_payment(payment_id: str) -> Record:
    """Return the payment. Raises RazorpayError 400."""
    payment = store().get(PAYMENT, payment_id)
    if payment is None:
        raise RazorpayError(UNKNOWN_ID)
    return payment


def save_payment(payment: Record) -> None:
    """Write a payment."""
    store().put(PAYMENT, payment["id"], payment)


@vendor_call(RAZORPAY, "payments.fetch")
def fetch_payment(request: HttpRequest, payment_id: str) -> Answer:
    """`GET /v1/payments/:id`."""
    return Answer(200, altered(find_payment(payment_id), struck(request)))


@vendor_call(RAZORPAY, "payments.list")
def list_payments(request: HttpRequest) -> Answer:
    """`GET /v1/payments`."""
    return collection([altered(payment, struck(request)) for payment in page(request, store().all(PAYMENT))])


@vendor_call(RAZORPAY, "payments.capture")
def capture_payment(request: HttpRequest, payment_id: str) -> Answer:
    """`POST /v1/payments/:id/capture`: only from authorized, and only the whole amount."""
    payment, body = find_payment(payment_id), read_body(request)
    _check_capture(payment, body)
    capture(payment)
    events.announce_captured(payment, find_order(payment["order_id"]), authorized_too=False)
    return Answer(200, altered(payment, struck(request)))


def _check_capture(payment: Record, body: dict[str, Any]) -> None:
    amount = checked_amount(body.get("amount"), payment["currency"])
    if payment["status"] in {"captured", "refunded"}:
        raise RazorpayError(ALREADY_CAPTURED, reason="NA")
    if payment["status"] != "authorized":
        raise RazorpayError(NOT_AUTHORIZED, reason="NA")
    if amount != payment["amount"]:
        raise RazorpayError(OTHER_AMOUNT, field="amount")
    if body.get("currency", payment["currency"]) != payment["currency"]:
        raise RazorpayError(OTHER_CURRENCY, field="currency")


def capture(payment: Record) -> None:
    """Take the money of an authorized payment; its order is paid with it."""
    fee = int(payment["amount"] * FEE_SHARE)
    payment |= {"status": "captured", "captured": True, "fee": fee, "tax": 0, "error_code": None}
    payment |= dict.fromkeys(("error_description", "error_source", "error_step", "error_reason"))
    save_payment(payment)
    order = find_order(payment["order_id"])
    order |= {"status": "paid", "amount_paid": payment["amount"], "amount_due": 0}
    store().put(ORDER, order["id"], order)


one_payment = by_method(GET=fetch_payment, otherwise=not_found)
payments = by_method(GET=list_payments, otherwise=not_found)
payment_capture = by_method(POST=capture_payment, otherwise=not_found)
