"""What a customer's bank does to an order: pay, refuse, or answer late."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from mindfulqalb.sandbox import faults
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.razorpay import events, refunds
from mindfulqalb.sandbox.razorpay.envelope import ORDER, RazorpayError, new_id
from mindfulqalb.sandbox.razorpay.orders import find_order, payments_of
from mindfulqalb.sandbox.razorpay.payments import capture, find_payment, save_payment
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.timers import set_timer_in, timed

LATE_SECONDS = 5
OUTCOMES = {
    "captured": "paid; only authorized when the order says manual capture",
    "authorized": "authorized, not captured",
    "failed": "the bank refuses",
    "late": "no answer from the bank; captured after `seconds`",
    "late_authorization": "failed; authorized and captured after `seconds` all the same",
    "second": "captured, also when the order has been paid: two windows, and a bank that let both through",
}
SETTLEMENTS = ("authorized", "captured", "failed")
FAILURE = {
    "error_code": "BAD_REQUEST_ERROR",
    "error_description": "Your payment didn't go through as it was declined by the bank. Try another payment method.",
    "error_source": "bank",
    "error_step": "payment_authorization",
    "error_reason": "payment_failed",
}
NO_FAILURE = dict.fromkeys(FAILURE)


def pay(order_id: str, outcome: str, customer: dict[str, str], seconds: float, struck: list[Record]) -> dict[str, Any]:
    """Try to pay an order and return what Checkout would be told: the signed triple, or the error.

    Raises RazorpayError when the order cannot be paid (any more) or the outcome is unknown.
    """
    order = find_order(order_id)
    _check_payable(order, outcome)
    late = faults.find(struck, "late_authorization")
    if late:
        outcome, seconds = "late_authorization", late["seconds"]
    payment = _make_payment(order, customer, struck)
    if outcome in SETTLEMENTS:
        settle(payment["id"], outcome)
    elif outcome == "second":
        capture(payment)
        events.announce_captured(payment, find_order(order_id), authorized_too=True)
    else:
        if outcome == "late_authorization":
            settle(payment["id"], "failed")
        set_timer_in("razorpay.settle", seconds, {"payment": payment["id"]})
    return told(find_payment(payment["id"]))


def _check_payable(order: Record, outcome: str) -> None:
    if outcome not in OUTCOMES:
        raise RazorpayError(f"The outcome must be one of {', '.join(OUTCOMES)}.", field="outcome")
    if outcome == "second":
        return
    if order["status"] == "paid":
        raise RazorpayError("Payment already done for this order.")
    if any(payment["status"] == "authorized" for payment in payments_of(order["id"])):
        raise RazorpayError("An authorized payment on this order waits for its capture.")


def _make_payment(order: Record, customer: dict[str, str], struck: list[Record]) -> Record:
    amount, currency = faults.find(struck, "amount_altered"), faults.find(struck, "currency_altered")
    payment = {
        "id": new_id("pay"),
        "entity": "payment",
        "amount": int(amount["amount"]) if amount else order["amount"],
        "currency": currency["currency"] if currency else order["currency"],
        "status": "created",
        "order_id": order["id"],
        "invoice_id": None,
        "international": order["currency"] != "INR",
        "method": "upi",
        "amount_refunded": 0,
        "refund_status": None,
        "captured": False,
        "description": None,
        "card_id": None,
        "bank": None,
        "wallet": None,
        "vpa": "success@razorpay",
        "email": customer.get("email") or "void@razorpay.com",
        "contact": customer.get("contact") or "+919999999999",
        "notes": order["notes"],
        "fee": None,
        "tax": None,
        **NO_FAILURE,
        "acquirer_data": {"rrn": "".join(secrets.choice("0123456789") for _ in range(12))},
        "created_at": machine_now(),
    }
    save_payment(payment)
    order |= {"attempts": order["attempts"] + 1, "status": "attempted"}
    store().put(ORDER, order["id"], order)
    return payment


def settle(payment_id: str, status: str) -> Record:
    """Let the bank answer: authorized, captured or failed. Raises RazorpayError when that cannot be."""
    payment = find_payment(payment_id)
    if status not in SETTLEMENTS:
        raise RazorpayError(f"The status must be one of {', '.join(SETTLEMENTS)}.", field="status")
    if payment["status"] not in {"created", "failed", "authorized"}:
        raise RazorpayError(f"The payment is {payment['status']} already.")
    if status == "failed":
        _fail(payment)
    else:
        _authorize(payment, wanted=status)
    return find_payment(payment_id)


def _fail(payment: Record) -> None:
    payment |= {"status": "failed", **FAILURE}
    save_payment(payment)
    events.announce_failed(payment)


def _authorize(payment: Record, wanted: str) -> None:
    order = find_order(payment["order_id"])
    is_new = payment["status"] != "authorized"
    payment |= {"status": "authorized", **NO_FAILURE}
    save_payment(payment)
    if order["status"] == "paid":
        refunds.refund_late_payment(payment)
    elif wanted == "captured" and (order["capture"] == "automatic" or not is_new):
        capture(payment)
        events.announce_captured(payment, find_order(order["id"]), authorized_too=is_new)
    else:
        events.announce_authorized(payment)


@timed("razorpay.settle")
def _settle_late(details: Record) -> None:
    payment = find_payment(details["payment"])
    if payment["status"] in {"created", "failed"}:
        settle(payment["id"], "captured")


def told(payment: Record) -> dict[str, Any]:
    """Return what Checkout tells the merchant's page about a payment."""
    known = {"razorpay_payment_id": payment["id"], "razorpay_order_id": payment["order_id"]}
    if payment["status"] in {"authorized", "captured"}:
        return {**known, "razorpay_signature": sign(payment["order_id"], payment["id"]), "status": payment["status"]}
    error = None
    if payment["status"] == "failed":
        error = {name.removeprefix("error_"): payment[name] for name in FAILURE}
        error["metadata"] = {"payment_id": payment["id"], "order_id": payment["order_id"]}
    return {**known, "razorpay_signature": None, "status": payment["status"], "error": error}


def sign(order_id: str, payment_id: str) -> str:
    """Return Checkout's signature over an order and its payment."""
    secret = configuration().razorpay_key_secret
    return hmac.new(secret.encode(), f"{order_id}|{payment_id}".encode(), hashlib.sha256).hexdigest()
