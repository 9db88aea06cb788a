"""The books of both gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calls import by_method, serve, struck
from mindfulqalb.sandbox.clock import iso
from mindfulqalb.sandbox.money import written
from mindfulqalb.sandbox.pages.frame import local_time, show, tone
from mindfulqalb.sandbox.razorpay import envelope as razorpay
from mindfulqalb.sandbox.razorpay import paying as razorpay_paying
from mindfulqalb.sandbox.razorpay.orders import payments_of
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe import envelope as stripe
from mindfulqalb.sandbox.timers import moment

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

ROWS = 50


def payments_page(request: HttpRequest) -> HttpResponse:
    """Show orders and sessions with what was paid and refunded."""
    context = {
        "orders": [_order(order) for order in store().last(razorpay.ORDER, ROWS)],
        "sessions": [_session(session) for session in store().last(stripe.SESSION, ROWS)],
        "outcomes": list(razorpay_paying.OUTCOMES),
    }
    return show(request, "payments.html", context)


def _order(order: Record) -> dict[str, Any]:
    payments = payments_of(order["id"])
    waiting = any(payment["status"] == "authorized" for payment in payments)
    return {
        **order,
        "amount": written(order["amount"], order["currency"]),
        "time": local_time(iso(moment(order["created_at"]))),
        "tone": tone(order["status"]),
        "is_payable": order["status"] != "paid" and not waiting,
        "payments": [_razorpay_payment(payment) for payment in payments],
    }


def _razorpay_payment(payment: Record) -> dict[str, Any]:
    settlements = {
        "created": ["captured", "authorized", "failed"],
        "failed": ["captured", "authorized"],
        "authorized": ["captured"],
    }
    refunds = [refund for refund in store().all(razorpay.REFUND) if refund["payment_id"] == payment["id"]]
    ends = {"pending": ["processed", "failed"], "processed": ["failed"]}
    return _row(payment, f"razorpay/payments/{payment['id']}/settle", settlements.get(payment["status"], [])) | {
        "refunds": [_row(r, f"razorpay/refunds/{r['id']}/settle", ends.get(r["status"], [])) for r in refunds]
    }


def _session(session: Record) -> dict[str, Any]:
    status = session["payment_status"] if session["status"] == "complete" else session["status"]
    return {
        **session,
        "amount": written(session["amount_total"], session["currency"]),
        "time": local_time(iso(moment(session["created"]))),
        "status": status,
        "tone": tone(status),
        "payments": _stripe_payments(session),
    }


def _stripe_payments(session: Record) -> list[dict[str, Any]]:
    intent = store().get(stripe.INTENT, session["payment_intent"] or "")
    if intent is None:
        return []
    refunds = [refund for refund in store().all(stripe.REFUND) if refund["payment_intent"] == intent["id"]]
    ends = {"pending": ["succeeded", "failed"], "succeeded": ["failed"]}
    settlements = ["succeeded", "failed"] if intent["status"] == "processing" else []
    row = _row(intent, f"stripe/sessions/{session['id']}/settle", settlements)
    return [
        row | {"refunds": [_row(r, f"stripe/refunds/{r['id']}/settle", ends.get(r["status"], [])) for r in refunds]}
    ]


def _row(record: Record, settle: str, settlements: list[str]) -> dict[str, Any]:
    return {
        "id": record["id"],
        "status": record["status"],
        "tone": tone(record["status"]),
        "amount": written(record["amount"], record["currency"]),
        "settle": settle,
        "settlements": settlements,
    }


def _pay_with_button(request: HttpRequest, order_id: str) -> HttpResponse:
    """Pay an order from the books, as its customer would."""
    outcome = request.POST.get("outcome", "")

    def pay() -> Answer:
        razorpay_paying.pay(order_id, outcome, {}, razorpay_paying.LATE_SECONDS, struck(request))
        return Answer(303, "", {"Location": "/payments"})

    return serve(request, razorpay.RAZORPAY, "payments.pay", pay)


pay_button = by_method(POST=_pay_with_button, otherwise=razorpay.not_found)
