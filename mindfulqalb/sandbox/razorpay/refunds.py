"""Refunds: idempotent by header, pending when a fault says so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox import faults
from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, struck, vendor_call
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.razorpay import events
from mindfulqalb.sandbox.razorpay.altering import altered
from mindfulqalb.sandbox.razorpay.envelope import (
    RAZORPAY,
    REFUND,
    REFUND_KEY,
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
from mindfulqalb.sandbox.razorpay.payments import find_payment, save_payment
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.timers import set_timer_in, timed

if TYPE_CHECKING:
    from django.http import HttpRequest

FIELDS = {"amount", "speed", "notes", "receipt"}
KEY = re.compile(r"[A-Za-z0-9_-]{10,}")
BAD_KEY = "The idempotency key must be at least 10 characters of letters, digits, hyphen and underscore."
OTHER_BODY = "Different request with the same idempotency key has already been processed."
TOO_MUCH = "The refund amount provided is greater than amount captured"
ALL_GONE = "The payment has been fully refunded already"
NOT_CAPTURED = "The payment status should be captured for action to be taken"


@vendor_call(RAZORPAY, "refunds.create")
def create_refund(request: HttpRequest, payment_id: str) -> Answer:
    """`POST /v1/payments/:id/refund`. The same key with the same body answers the same refund again."""
    body = read_body(request)
    key = request.headers.get("X-Refund-Idempotency")
    refund = _replayed(key, payment_id, body) if key is not None else None
    if refund is None:
        refund = _refund(find_payment(payment_id), body, faults.find(struck(request), "refund_pending"))
        if key is not None:
            store().put(REFUND_KEY, key, {"payment": payment_id, "body": body, "refund": refund["id"]})
    return Answer(200, altered(refund, struck(request)))


def _replayed(key: str, payment_id: str, body: dict[str, Any]) -> Record | None:
    if not KEY.fullmatch(key):
        raise RazorpayError(BAD_KEY, field="X-Refund-Idempotency")
    earlier = store().get(REFUND_KEY, key)
    if earlier is None:
        return None
    if (earlier["payment"], earlier["body"]) != (payment_id, body):
        raise RazorpayError(OTHER_BODY)
    return store().get(REFUND, earlier["refund"])


def _refund(payment: Record, body: dict[str, Any], pending: Record | None) -> Record:
    _check_fields(body)
    left = payment["amount"] - payment["amount_refunded"]
    if payment["status"] == "refunded":
        raise RazorpayError(ALL_GONE)
    if payment["status"] != "captured":
        raise RazorpayError(NOT_CAPTURED)
    amount = checked_amount(body["amount"], payment["currency"]) if body.get("amount") is not None else left
    if amount > left:
        raise RazorpayError(TOO_MUCH, field="amount")
    refund = make_refund(payment, amount, body, "pending" if pending else "processed")
    if pending and pending["then"]:
        details = {"refund": refund["id"], "status": pending["then"]}
        set_timer_in("razorpay.settle_refund", pending["seconds"], details)
    return refund


def _check_fields(body: dict[str, Any]) -> None:
    unknown = sorted(set(body) - FIELDS)
    if unknown:
        raise RazorpayError(f"{', '.join(unknown)} is/are not required and should not be sent", field=unknown[0])
    if body.get("speed", "normal") not in {"normal", "optimum"}:
        raise RazorpayError("The selected speed is invalid.", field="speed")
    receipt = body.get("receipt")
    if receipt and any(refund["receipt"] == receipt for refund in store().all(REFUND)):
        raise RazorpayError("Refund receipt should be unique.", field="receipt")


def make_refund(payment: Record, amount: int, body: dict[str, Any], status: str) -> Record:
    """Write a refund, take it off the payment and tell of it."""
    speed = body.get("speed", "normal")
    refund = {
        "id": new_id("rfnd"),
        "entity": "refund",
        "amount": amount,
        "receipt": body.get("receipt"),
        "currency": payment["currency"],
        "payment_id": payment["id"],
        "notes": checked_notes(body.get("notes")),
        "acquirer_data": {"arn": None},
        "created_at": machine_now(),
        "batch_id": None,
        "status": status,
        "speed_processed": "normal",
        "speed_requested": speed,
    }
    store().put(REFUND, refund["id"], refund)
    _take_off(payment, amount)
    events.announce_refund(refund, payment, *(("created", "processed") if status == "processed" else ("created",)))
    return refund


def _take_off(payment: Record, amount: int) -> None:
    """Count a refund on its payment; a negative amount gives a failed one back."""
    refunded = payment["amount_refunded"] + amount
    whole = refunded == payment["amount"]
    payment |= {
        "amount_refunded": refunded,
        "refund_status": "full" if whole else ("partial" if refunded else None),
        "status": "refunded" if whole else ("captured" if payment["captured"] else payment["status"]),
    }
    save_payment(payment)


def refund_late_payment(payment: Record) -> None:
    """Give back a payment that came when its order had been paid by another."""
    events.announce_authorized(payment)
    make_refund(payment, payment["amount"], {}, "processed")


def settle_refund(refund_id: str, status: str) -> Record:
    """Bring a refund to its end: processed, or failed (which gives the amount back). Raises RazorpayError."""
    refund = find_refund(refund_id)
    if status not in {"processed", "failed"}:
        raise RazorpayError("The status must be processed or failed.", field="status")
    if refund["status"] == status:
        raise RazorpayError(f"The refund is {status} already.")
    refund["status"] = status
    store().put(REFUND, refund_id, refund)
    payment = find_payment(refund["payment_id"])
    if status == "failed":
        _take_off(payment, -refund["amount"])
    events.announce_refund(refund, payment, status)
    return refund


@timed("razorpay.settle_refund")
def _settle_later(details: Record) -> None:
    if find_refund(details["refund"])["status"] == "pending":
        settle_refund(details["refund"], details["status"])


def find_refund(refund_id: str) -> Record:
    """Return the refund. Raises RazorpayError 400."""
    refund = store().get(REFUND, refund_id)
    if refund is None:
        raise RazorpayError(UNKNOWN_ID)
    return refund


@vendor_call(RAZORPAY, "refunds.fetch")
def fetch_refund(request: HttpRequest, refund_id: str, payment_id: str = "") -> Answer:
    """`GET /v1/refunds/:id` and `GET /v1/payments/:id/refunds/:rid`."""
    refund = find_refund(refund_id)
    if payment_id and refund["payment_id"] != payment_id:
        raise RazorpayError(UNKNOWN_ID)
    return Answer(200, altered(refund, struck(request)))


@vendor_call(RAZORPAY, "refunds.list")
def list_refunds(request: HttpRequest, payment_id: str = "") -> Answer:
    """`GET /v1/refunds` and `GET /v1/payments/:id/refunds`, newest first."""
    if payment_id:
        find_payment(payment_id)
    found = [refund for refund in store().all(REFUND) if payment_id in {"", refund["payment_id"]}]
    return collection([altered(refund, struck(request)) for refund in page(request, found)])


payment_refund = by_method(POST=create_refund, otherwise=not_found)
refunds = by_method(GET=list_refunds, otherwise=not_found)
one_refund = by_method(GET=fetch_refund, otherwise=not_found)
