"""The trouble that can be switched on, and the book of what is switched on now.

A fault is `{"vendor", "call", "kind", "times", ...parameters}`. `call` is a pattern (`bookings.create`, `bookings.*`,
`*`); for webhooks it is the event, with or without its vendor in front (`payment.captured`, `razorpay.*`). `times` is
how often it strikes, null until it is removed. KINDS below is the whole list; the faults page shows it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from mindfulqalb.sandbox.store import Record, store

KIND = "fault"
HTTP = ("calcom", "razorpay", "stripe")
GATEWAYS = ("razorpay", "stripe")
VENDORS = (*HTTP, "smtp", "webhooks")

CALLS: dict[str, tuple[str, ...]] = {
    "calcom": (
        *("slots.list", "reservations.create", "reservations.get", "reservations.update", "reservations.delete"),
        *("bookings.create", "bookings.get", "bookings.list", "bookings.cancel", "bookings.reschedule"),
        *("bookings.confirm", "bookings.decline", "bookings.mark_absent", "event_types.get", "me.get", "not_found"),
    ),
    "razorpay": (
        *("orders.create", "orders.fetch", "orders.list", "orders.payments", "payments.fetch", "payments.list"),
        *("payments.capture", "payments.pay", "refunds.create", "refunds.fetch", "refunds.list"),
        *("disputes.fetch", "disputes.list", "not_found"),
    ),
    "stripe": (
        *("sessions.create", "sessions.retrieve", "sessions.list", "sessions.line_items", "sessions.expire"),
        *("sessions.pay", "payment_intents.retrieve", "charges.retrieve", "refunds.create", "refunds.retrieve"),
        *("refunds.list", "disputes.retrieve", "disputes.list", "events.list", "events.retrieve", "not_found"),
    ),
    "smtp": ("mail.send",),
}
EVENTS: dict[str, tuple[str, ...]] = {
    "calcom": (
        *("BOOKING_CREATED", "BOOKING_REQUESTED", "BOOKING_RESCHEDULED", "BOOKING_CANCELLED", "BOOKING_REJECTED"),
        *("BOOKING_NO_SHOW_UPDATED", "MEETING_STARTED", "MEETING_ENDED"),
    ),
    "razorpay": (
        *("payment.authorized", "payment.captured", "payment.failed", "order.paid"),
        *("refund.created", "refund.processed", "refund.failed"),
        *("payment.dispute.created", "payment.dispute.under_review", "payment.dispute.action_required"),
        *("payment.dispute.won", "payment.dispute.lost", "payment.dispute.closed"),
    ),
    "stripe": (
        *("checkout.session.completed", "checkout.session.expired"),
        *("checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed"),
        *("refund.created", "refund.updated", "refund.failed", "charge.refunded"),
        *("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"),
        *("charge.dispute.funds_withdrawn", "charge.dispute.funds_reinstated"),
    ),
}
CALLS["webhooks"] = tuple(
    name for vendor, names in EVENTS.items() for event in names for name in (event, f"{vendor}.{event}")
)


@dataclass(frozen=True)
class Parameter:
    """A number or word that shapes a fault."""

    default: Any
    meaning: str
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One sort of trouble: who can have it, what it does, and what shapes it."""

    vendors: tuple[str, ...]
    meaning: str
    parameters: dict[str, Parameter] = field(default_factory=dict)
    calls: tuple[str, ...] = ()  # the only calls that it makes sense for; empty: all


SECONDS = "how many seconds"
DONE = Parameter(default=False, meaning="true: the work is done first")
KINDS: dict[str, Kind] = {
    "delay": Kind(
        (*HTTP, "smtp"),
        "Answers late.",
        {"seconds": Parameter(2, SECONDS), "done": DONE},
    ),
    "status": Kind(
        (*HTTP, "smtp"),
        "Refuses with this status, in the vendor's own error shape, without doing it.",
        {
            "status": Parameter(500, "HTTP status; for smtp the reply code, such as 451 or 550"),
            "message": Parameter("", "text"),
        },
    ),
    "html_502": Kind(HTTP, "A proxy's HTML page with status 502, without doing it."),
    "hang": Kind((*HTTP, "smtp"), "Never answers.", {"seconds": Parameter(600, SECONDS), "done": DONE}),
    "drop": Kind((*HTTP, "smtp"), "Does it, then closes the connection without an answer."),
    "refuse": Kind((*HTTP, "smtp"), "Closes the connection without doing it."),
    "rate_limited": Kind(HTTP, "429 in the vendor's form, without doing it."),
    "bare_500": Kind(HTTP, "500 with the framework's bare body, without doing it."),
    "slot_taken": Kind(
        ("calcom",),
        "The slot is gone: 400 with text, or the bare 409 of a lost race.",
        {"form": Parameter("text", "which of the two", ("text", "bare"))},
        ("bookings.create", "bookings.reschedule"),
    ),
    "amount_altered": Kind(
        GATEWAYS,
        "Another amount: on payments.pay and sessions.pay it is really paid, elsewhere only this answer says so.",
        {"amount": Parameter(100, "in minor units")},
    ),
    "currency_altered": Kind(
        GATEWAYS, "Another currency, in the same two ways.", {"currency": Parameter("EUR", "ISO code")}
    ),
    "late_authorization": Kind(
        GATEWAYS,
        "The customer's payment fails (Stripe: stays unpaid), then the money arrives after all.",
        {"seconds": Parameter(5, SECONDS)},
        ("payments.pay", "sessions.pay"),
    ),
    "refund_pending": Kind(
        GATEWAYS,
        "The refund is pending first, and then comes to an end.",
        {
            "seconds": Parameter(3, SECONDS),
            "then": Parameter("processed", "its end; null waits for the control API", ("processed", "failed", None)),
        },
        ("refunds.create",),
    ),
    "first": Kind(("webhooks",), "Sent before the answer or redirect that it belongs to is given."),
    "twice": Kind(("webhooks",), "The same event is delivered twice."),
    "late": Kind(("webhooks",), "Leaves later.", {"seconds": Parameter(5, SECONDS)}),
    "reversed": Kind(("webhooks",), "The events of one change arrive in reverse order."),
    "never": Kind(("webhooks",), "Is not sent."),
    "new_event_id": Kind(("webhooks",), "The same body is delivered again under a new event id."),
    "bad_signature": Kind(("webhooks",), "Its signature is wrong."),
}


class InvalidFaultError(ValueError):
    """A fault was described wrongly; `fields` says where."""

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in fields.items()))
        self.fields = fields


def add_fault(description: dict[str, Any]) -> Record:
    """Switch a fault on and return it with its id. Raises InvalidFaultError."""
    problems = _problems(description)
    if problems:
        raise InvalidFaultError(problems)
    parameters = {name: parameter.default for name, parameter in KINDS[description["kind"]].parameters.items()}
    with store().transaction():
        number = store().count("fault")
        fault = {"id": number, "call": "*", "times": 1, "used": 0, **parameters, **description}
        store().put(KIND, str(number), fault)
    return fault


def _problems(description: dict[str, Any]) -> dict[str, str]:
    problems = {}
    vendor, kind = description.get("vendor"), description.get("kind")
    if vendor not in VENDORS:
        problems["vendor"] = f"must be one of {', '.join(VENDORS)}"
    if kind not in KINDS:
        problems["kind"] = f"must be one of {', '.join(KINDS)}"
    elif vendor in VENDORS and vendor not in KINDS[kind].vendors:
        problems["kind"] = f"{kind} is for {', '.join(KINDS[kind].vendors)}"
    times = description.get("times", 1)
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
        problems["times"] = "must be a whole number above zero, or null"
    if vendor in VENDORS and (problem := _call_problem(vendor, description.get("call", "*"))):
        problems["call"] = problem
    return problems | _parameter_problems(description)


def _call_problem(vendor: str, call: Any) -> str | None:
    """A pattern that matches nothing would wait for ever, and a test with it would prove nothing."""
    if isinstance(call, str) and any(fnmatchcase(name, call) for name in CALLS[vendor]):
        return None
    return f"must match one of {', '.join(CALLS[vendor])}"


def _parameter_problems(description: dict[str, Any]) -> dict[str, str]:
    kind = KINDS.get(str(description.get("kind")))
    known = kind.parameters if kind else {}
    problems = {}
    for name, value in description.items():
        if name in {"vendor", "call", "kind", "times"} or kind is None:
            continue
        if name not in known:
            problems[name] = f"is not a parameter of {description['kind']}"
        elif problem := _parameter_problem(known[name], value):
            problems[name] = problem
    return problems


def _parameter_problem(parameter: Parameter, value: Any) -> str | None:
    if parameter.choices:
        return None if value in parameter.choices else f"must be one of {parameter.choices}"
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    wants_number = isinstance(parameter.default, int) and not isinstance(parameter.default, bool)
    if wants_number:
        return None if is_number and value >= 0 else "must be a number, zero or more"
    return None if isinstance(value, type(parameter.default)) else f"must be of the kind of {parameter.default!r}"


def faults() -> list[Record]:
    """Return the faults that are switched on, oldest first."""
    return store().all(KIND)


def remove_fault(number: str) -> bool:
    """Switch one fault off; say whether it was on."""
    return store().remove(KIND, number)


def remove_all_faults() -> None:
    """Switch everything off."""
    with store().transaction():
        for fault in faults():
            remove_fault(str(fault["id"]))


def claim(vendor: str, *calls: str, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Record]:
    """Return the faults that strike this call, the oldest of each kind, and count one use of each.

    The last use switches a fault off; a younger one of the same kind waits for the next call.
    """
    with store().transaction():
        struck: dict[str, Record] = {}
        for fault in faults():
            if _strikes(fault, vendor, calls, kinds):
                struck.setdefault(fault["kind"], fault)
        for fault in struck.values():
            _use(fault)
    return list(struck.values())


def _strikes(fault: Record, vendor: str, calls: tuple[str, ...], kinds: tuple[str, ...]) -> bool:
    if fault["vendor"] != vendor or fault["kind"] not in kinds:
        return False
    only = KINDS[fault["kind"]].calls
    return any(fnmatchcase(call, fault["call"]) and (not only or call in only) for call in calls)


def _use(fault: Record) -> None:
    fault["used"] += 1
    if fault["times"] is not None and fault["used"] >= fault["times"]:
        store().remove(KIND, str(fault["id"]))
    else:
        store().put(KIND, str(fault["id"]), fault)


def find(struck: list[Record], kind: str) -> Record | None:
    """Return the first fault of the kind among those that struck."""
    return next((fault for fault in struck if fault["kind"] == kind), None)
