"""What every page has: the navigation, and times and colors for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.shortcuts import render

from mindfulqalb.sandbox import webhooks
from mindfulqalb.sandbox.calcom.diary import bookings
from mindfulqalb.sandbox.clock import parse_iso
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.faults import KINDS, faults
from mindfulqalb.sandbox.mailbox import messages
from mindfulqalb.sandbox.razorpay.envelope import ORDER
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe.envelope import SESSION

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

FIRST_REFUSAL = 400
GOOD = {"accepted", "captured", "paid", "succeeded", "processed", "delivered", "complete"}
WAIT = {"pending", "created", "authorized", "attempted", "open", "unpaid", "processing", "on the way", "late"}
BAD = {"failed", "given up", "never", "declined", "requires_payment_method"}


def show(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Show a page in the frame."""
    frame = {"links": _links(request.path), "problem": request.GET.get("problem", "")}
    return render(request, f"sandbox/{template}", frame | context, status=status)


def _links(here: str) -> list[dict[str, Any]]:
    money = len(store().all(ORDER)) + len(store().all(SESSION))
    links = [
        _link("Overview", "/", here),
        _link("Calendar", "/calendar", here, len(bookings())),
        _link("Payments", "/payments", here, money),
        _link("Mailbox", "/mail", here, len(messages.messages())),
        _link("Trouble", "/trouble", here, len(faults()), warns=True),
        _link("Calls", "/calls", here),
    ]
    links[0]["is_here"] = here == "/"
    return links


def _link(title: str, url: str, here: str, number: int = 0, *, warns: bool = False) -> dict[str, Any]:
    return {"title": title, "url": url, "number": number, "is_here": here.startswith(url), "warns": warns}


def tone(status: str) -> str:
    """Return how a state is colored."""
    for name, states in (("good", GOOD), ("wait", WAIT), ("bad", BAD)):
        if status in states:
            return name
    return ""


def local(moment: datetime) -> datetime:
    """Return a moment in the practice's time zone."""
    return moment.astimezone(ZoneInfo(configuration().time_zone))


def local_time(text: str) -> str:
    """Write an ISO moment for people, in the practice's time zone."""
    return local(parse_iso(text)).strftime("%d %b, %H:%M:%S")


def presented_call(entry: Record) -> dict[str, Any]:
    """Return a logged call as the pages show it."""
    status = entry["status"]
    outcome = "no answer" if status is None else str(status)
    good = status is not None and status < FIRST_REFUSAL
    return {**entry, "time": local_time(entry["at"]), "outcome": outcome, "tone": "good" if good else "bad"}


def presented_faults() -> list[dict[str, Any]]:
    """Return what is switched on as the pages show it."""
    return [
        {
            **fault,
            "left": (fault["times"] or 0) - fault["used"],
            "shape": ", ".join(f"{name} {value}" for name, value in fault.items() if _is_chosen(fault, name)),
        }
        for fault in faults()
    ]


def _is_chosen(fault: Record, name: str) -> bool:
    """Say whether this is a parameter, and one that says something: a plain "no" does not."""
    return name in KINDS[fault["kind"]].parameters and fault[name] not in (False, "")


def pending_webhooks() -> list[Record]:
    """Return the webhooks that have not arrived yet."""
    return store().all(webhooks.PENDING)
