"""Razorpay's webhooks: snapshots of the entities at the moment of the event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox import webhooks
from mindfulqalb.sandbox.clock import machine_now
from mindfulqalb.sandbox.webhooks import Event, alphanumeric

if TYPE_CHECKING:
    from mindfulqalb.sandbox.store import Record

ACCOUNT = "acc_Sandbox0000001"


def _event(name: str, created_at: int, **entities: dict[str, Any]) -> Event:
    body = {
        "entity": "event",
        "account_id": ACCOUNT,
        "event": name,
        "contains": list(entities),
        "payload": {kind: {"entity": entity} for kind, entity in entities.items()},
        "created_at": created_at,
    }
    return Event(name, alphanumeric(14), body)


def _order_entity(order: Record) -> dict[str, Any]:
    return {name: value for name, value in order.items() if name != "capture"}


def announce_authorized(payment: Record) -> None:
    """Tell that a bank has promised the money."""
    webhooks.announce("razorpay", [_event("payment.authorized", machine_now(), payment=dict(payment))])


def announce_captured(payment: Record, order: Record, *, authorized_too: bool) -> None:
    """Tell that the money is taken, and that the order is paid with it."""
    events = [
        _event("payment.captured", machine_now(), payment=dict(payment)),
        _event("order.paid", machine_now(), payment=dict(payment), order=_order_entity(order)),
    ]
    if authorized_too:
        # A snapshot of the moment before: neither captured nor a fee yet.
        before = {**payment, "status": "authorized", "captured": False, "fee": None, "tax": None}
        events.insert(0, _event("payment.authorized", machine_now(), payment=before))
    webhooks.announce("razorpay", events)


def announce_failed(payment: Record) -> None:
    """Tell that an attempt failed; it need not be the end."""
    webhooks.announce("razorpay", [_event("payment.failed", machine_now(), payment=dict(payment))])


def announce_refund(refund: Record, payment: Record, *happened: str) -> None:
    """Tell what happened to a refund: created, processed, failed."""
    webhooks.announce(
        "razorpay",
        [_event(f"refund.{name}", machine_now(), refund=dict(refund), payment=dict(payment)) for name in happened],
    )


def announce_dispute(dispute: Record, payment: Record, happened: str) -> None:
    """Tell what happened to a dispute: created, under_review, action_required, won, lost, closed."""
    event = _event(f"payment.dispute.{happened}", machine_now(), payment=dict(payment), dispute=dict(dispute))
    webhooks.announce("razorpay", [event])
