"""What can be changed while the sandbox runs, with `POST /control/switches`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.store import store

KIND = "switch"


@dataclass(frozen=True)
class Switch:
    """One switch: its value at the start and what it does."""

    default: Any
    meaning: str


SWITCHES: dict[str, Switch] = {
    "web": Switch(None, "Origin that webhooks are sent to; empty sends none. Kept by a reset."),
    "webhooksCalcom": Switch(default=True, meaning="Send Cal.com's webhooks."),
    "webhooksRazorpay": Switch(default=True, meaning="Send Razorpay's webhooks."),
    "webhooksStripe": Switch(default=True, meaning="Send Stripe's webhooks."),
    "webhookDelaySeconds": Switch(0.2, "How long after the answer a webhook leaves."),
    "clockOffsetSeconds": Switch(0.0, "How far the sandbox's clock runs ahead of the machine's."),
    "availableFrom": Switch("09:00", "Start of the therapist's day, local time."),
    "availableTo": Switch("18:00", "End of the therapist's day, local time."),
    "availableDays": Switch(60, "How many days ahead can be booked."),
    "availableWeekdays": Switch([1, 2, 3, 4, 5, 6, 7], "ISO weekdays with working hours (1 is Monday)."),
    "requiresConfirmation": Switch([], "Event type ids whose bookings wait for the therapist's yes."),
    "calcomWebhookTries": Switch(
        1, "How often Cal.com tries to deliver a webhook; the real one promises no second try."
    ),
    "calcomRateLimit": Switch(0, "Cal.com calls allowed per minute and key; 0 never refuses (headers say 120)."),
    "razorpayUniqueReceipts": Switch(
        default=True, meaning="Refuse an order whose receipt is known; off: a second order."
    ),
}


class UnknownSwitchError(ValueError):
    """A switch was named that does not exist, or got a value of the wrong type."""


def switch(name: str) -> Any:
    """Return the switch's value."""
    record = store().get(KIND, name)
    if record is not None:
        return record["value"]
    return configuration().web if name == "web" else SWITCHES[name].default


def switches() -> dict[str, Any]:
    """Return every switch with its value."""
    return {name: switch(name) for name in SWITCHES}


def turn(changes: dict[str, Any]) -> None:
    """Change switches, all or none. Raises UnknownSwitchError."""
    with store().transaction():
        for name, value in changes.items():
            store().put(KIND, name, {"value": _checked(name, value)})


def _checked(name: str, value: Any) -> Any:
    if name not in SWITCHES:
        raise UnknownSwitchError(f"there is no switch {name!r}; there are {', '.join(sorted(SWITCHES))}")
    default = "" if name == "web" else SWITCHES[name].default
    expected = (int, float) if isinstance(default, (int, float)) and not isinstance(default, bool) else (type(default),)
    if not isinstance(value, expected) or isinstance(value, bool) != isinstance(default, bool):
        raise UnknownSwitchError(f"{name} must be of the kind of {default!r}")
    return value
