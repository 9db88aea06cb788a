"""The first page: where everything stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.sandbox.calcom.diary import bookings
from mindfulqalb.sandbox.faults import faults
from mindfulqalb.sandbox.mailbox import messages
from mindfulqalb.sandbox.pages.frame import pending_webhooks, presented_call, presented_faults, show
from mindfulqalb.sandbox.razorpay import envelope as razorpay
from mindfulqalb.sandbox.store import store
from mindfulqalb.sandbox.stripe import envelope as stripe
from mindfulqalb.sandbox.switches import switch

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

CALLS_SHOWN = 10


def home_page(request: HttpRequest) -> HttpResponse:
    """Show the numbers, what to try, what is switched on and who called."""
    context = {
        "web": switch("web"),
        "counts": _counts(),
        "faults": presented_faults(),
        "calls": [presented_call(entry) for entry in store().last("call", CALLS_SHOWN)],
    }
    return show(request, "home.html", context)


def _counts() -> dict[str, int]:
    captured = [payment for payment in store().all(razorpay.PAYMENT) if payment["captured"]]
    return {
        "bookings": sum(booking["status"] == "accepted" for booking in bookings()),
        "payments": len(captured) + len(store().all(stripe.CHARGE)),
        "refunds": len(store().all(razorpay.REFUND)) + len(store().all(stripe.REFUND)),
        "mails": len(messages.messages()),
        "pending": len(pending_webhooks()),
        "faults": len(faults()),
    }
