"""Checkout: the script that the merchant's page loads, and the dialog that it opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.browser import POLICY
from mindfulqalb.sandbox.calls import by_method, struck, vendor_call
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.money import written
from mindfulqalb.sandbox.razorpay.envelope import ORDER, RAZORPAY, not_found, read_body
from mindfulqalb.sandbox.razorpay.paying import LATE_SECONDS, pay
from mindfulqalb.sandbox.store import store

OTHER_AMOUNT = (
    "Your payment amount is different from your order amount. To pay successfully, please try using right amount."
)
SCRIPT = Path(__file__).resolve().parent.parent / "static" / "razorpay-checkout.js"


def checkout_script(request: HttpRequest) -> HttpResponse:
    """Serve `checkout.js`, which defines `window.Razorpay`."""
    return HttpResponse(SCRIPT.read_bytes(), content_type="text/javascript; charset=utf-8")


@xframe_options_exempt
def checkout_page(request: HttpRequest) -> HttpResponse:
    """Show the dialog for one order, inside the merchant's page."""
    order = store().get(ORDER, request.GET.get("order_id", ""))
    context = {
        "order": order,
        "amount": written(order["amount"], order["currency"]) if order else "",
        "problem": _problem(request, order),
        "late_seconds": LATE_SECONDS,
        "given": request.GET,
    }
    response = render(request, "sandbox/razorpay_checkout.html", context)
    response.headers["Content-Security-Policy"] = f"{POLICY}; frame-ancestors *"
    return response


def _problem(request: HttpRequest, order: dict[str, Any] | None) -> str:
    """Return why this order cannot be paid with these options, as the real dialog says it; empty when it can."""
    if request.GET.get("key") != configuration().razorpay_key_id:
        return "The api key provided is invalid."
    if order is None:
        return "The order id provided does not exist."
    if request.GET.get("amount") not in {None, "", str(order["amount"])}:
        return OTHER_AMOUNT
    if order["status"] == "paid":
        return "Payment already done for this order."
    return ""


@vendor_call(RAZORPAY, "payments.pay")
def pay_in_browser(request: HttpRequest) -> Answer:
    """Pay as the dialog's buttons ask: `{"order_id", "outcome", "email", "contact"}`."""
    body = read_body(request)
    customer = {name: str(body.get(name) or "") for name in ("email", "contact")}
    outcome = pay(str(body.get("order_id")), str(body.get("outcome")), customer, LATE_SECONDS, struck(request))
    return Answer(200, outcome)


pay_button = by_method(POST=pay_in_browser, otherwise=not_found)
