"""Trouble for one click: the faults that the product has to live with, in plain words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A fault with a name for people."""

    title: str
    meaning: str
    fault: dict[str, Any]

    @property
    def json(self) -> str:
        """The fault as the control API takes it."""
        return json.dumps(self.fault)


@dataclass(frozen=True)
class Group:
    """Presets that belong together."""

    title: str
    presets: list[Preset]


def _fault(vendor: str, call: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"vendor": vendor, "call": call, "kind": kind, **more}


CALENDAR = [
    Preset(
        "Somebody was faster",
        "The next booking is refused: slot taken.",
        _fault("calcom", "bookings.create", "slot_taken"),
    ),
    Preset(
        "Lost a race",
        "The same, as Cal.com's bare 409.",
        _fault("calcom", "bookings.create", "slot_taken", form="bare"),
    ),
    Preset(
        "The answer is lost",
        "The booking is made, but nobody hears of it.",
        _fault("calcom", "bookings.create", "drop"),
    ),
    Preset(
        "Slow calendar", "The next booking takes 12 seconds.", _fault("calcom", "bookings.create", "delay", seconds=12)
    ),
    Preset(
        "Calendar is down",
        "Every call fails until switched off.",
        _fault("calcom", "*", "status", status=503, times=None),
    ),
    Preset("Too many calls", "The next call is told to wait (429).", _fault("calcom", "*", "rate_limited")),
]
MONEY = [
    Preset(
        "Bank changes its mind",
        "Razorpay: failed, and paid after all 5 seconds later.",
        _fault("razorpay", "payments.pay", "late_authorization"),
    ),
    Preset(
        "Wrong amount paid",
        "Razorpay: only 1.00 is really paid.",
        _fault("razorpay", "payments.pay", "amount_altered", amount=100),
    ),
    Preset(
        "Order is lost", "Razorpay makes the order and does not answer.", _fault("razorpay", "orders.create", "drop")
    ),
    Preset("Refund is lost", "Razorpay refunds and does not answer.", _fault("razorpay", "refunds.create", "drop")),
    Preset(
        "Refund fails later",
        "Razorpay: pending, then failed.",
        _fault("razorpay", "refunds.create", "refund_pending", then="failed"),
    ),
    Preset("Razorpay's proxy fails", "An HTML page instead of an answer.", _fault("razorpay", "*", "html_502")),
    Preset(
        "Stripe pays later",
        "Complete but unpaid; the money comes 5 seconds later.",
        _fault("stripe", "sessions.pay", "late_authorization"),
    ),
    Preset(
        "Stripe does not answer",
        "The session is made, the answer is lost.",
        _fault("stripe", "sessions.create", "drop"),
    ),
    Preset(
        "Stripe's refund is pending",
        "It succeeds 3 seconds later.",
        _fault("stripe", "refunds.create", "refund_pending"),
    ),
]
WEBHOOKS = [
    Preset(
        "Faster than the browser",
        "The next webhook arrives before the customer is sent back.",
        _fault("webhooks", "*", "first"),
    ),
    Preset("Everything twice", "Until switched off.", _fault("webhooks", "*", "twice", times=None)),
    Preset("None arrives", "Until switched off.", _fault("webhooks", "*", "never", times=None)),
    Preset("Wrong order", "The events of the next change are reversed.", _fault("webhooks", "*", "reversed")),
    Preset("Same again, new id", "The next event comes twice under two ids.", _fault("webhooks", "*", "new_event_id")),
    Preset("Ten seconds late", "The next event.", _fault("webhooks", "*", "late", seconds=10)),
    Preset("Forged", "The next event's signature is wrong.", _fault("webhooks", "*", "bad_signature")),
]
MAIL = [
    Preset("Try again later", "The next mail is refused for now (451).", _fault("smtp", "*", "status", status=451)),
    Preset("No such mailbox", "The next mail is refused for good (550).", _fault("smtp", "*", "status", status=550)),
    Preset("Taken, not confirmed", "The mail is kept and the connection lost.", _fault("smtp", "*", "drop")),
    Preset("Mail server is down", "Every mail, until switched off.", _fault("smtp", "*", "refuse", times=None)),
]
GROUPS = [
    Group("The calendar", CALENDAR),
    Group("The money", MONEY),
    Group("The webhooks", WEBHOOKS),
    Group("The mail", MAIL),
]
