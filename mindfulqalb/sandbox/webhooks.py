"""Signed webhooks to the product: written with the change they tell of, sent by threads, repeated until they arrive."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import string
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests

from mindfulqalb.sandbox import faults
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.switches import switch

if TYPE_CHECKING:
    from collections.abc import Callable

PENDING = "webhook"
FINISHED = "webhook.finished"
FINISHED_KEPT = 1000
# Razorpay and Stripe go on for days, here for about two minutes.
TRIES = 10
FIRST_RETRY_SECONDS = 0.5
RETRY_GROWTH = 1.8
TIMEOUT_SECONDS = 5
PER_EVENT = ("twice", "late", "never", "new_event_id", "bad_signature")


@dataclass(frozen=True)
class Event:
    """One thing to tell the product: its name, its id (empty for Cal.com) and the body, ready to be sent."""

    name: str
    id: str
    body: dict[str, Any]


def alphanumeric(length: int) -> str:
    """Return a random text of letters and digits, as vendors use in ids."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def announce(vendor: str, events: list[Event]) -> None:
    """Write the events of one change to the outgoing book, with whatever fault is switched on for them."""
    if not events or not switch("web") or not switch(f"webhooks{vendor.capitalize()}"):
        return
    names = [name for event in events for name in _fault_names(vendor, event)]
    whole = faults.claim("webhooks", *names, kinds=("first", "reversed"))
    for event in reversed(events) if faults.find(whole, "reversed") else events:
        _write(vendor, event, first=faults.find(whole, "first") is not None)
    store().after_commit(wake)


def _fault_names(vendor: str, event: Event) -> tuple[str, str]:
    return event.name, f"{vendor}.{event.name}"


def _write(vendor: str, event: Event, *, first: bool) -> None:
    struck = faults.claim("webhooks", *_fault_names(vendor, event), kinds=PER_EVENT)
    late = faults.find(struck, "late")
    delivery = {
        "vendor": vendor,
        "event": event.name,
        "eventId": event.id,
        "body": json.dumps(event.body, ensure_ascii=False, separators=(",", ":")),
        "first": first,
        "dueAt": time.time() + (late["seconds"] if late else switch("webhookDelaySeconds")),
        "tries": 0,
        "answers": [],
        "badSignature": faults.find(struck, "bad_signature") is not None,
        "faults": [fault["kind"] for fault in struck] + (["first"] if first else []),
    }
    if faults.find(struck, "never"):
        _finish({**delivery, "id": store().count("webhook"), "outcome": "never"})
        return
    _write_once(delivery)
    if faults.find(struck, "twice"):
        _write_once(delivery)
    if faults.find(struck, "new_event_id"):
        _write_once(_under_new_id(delivery))


def _write_once(delivery: Record) -> None:
    number = store().count("webhook")
    store().put(PENDING, str(number), {**delivery, "id": number})


def _under_new_id(delivery: Record) -> Record:
    """Razorpay's id stands in a header; Stripe's is in the body, and Cal.com has none."""
    if delivery["vendor"] == "stripe":
        new_id = f"evt_{alphanumeric(24)}"
        body = json.dumps({**json.loads(delivery["body"]), "id": new_id}, ensure_ascii=False, separators=(",", ":"))
        return {**delivery, "eventId": new_id, "body": body}
    return {**delivery, "eventId": alphanumeric(14) if delivery["eventId"] else ""}


def _finish(delivery: Record) -> None:
    with store().transaction():
        store().remove(PENDING, str(delivery["id"]))
        store().put(FINISHED, str(delivery["id"]), delivery)
        store().prune(FINISHED, FINISHED_KEPT)


def headers(delivery: Record) -> dict[str, str]:
    """Return the headers of one attempt, signed now with the vendor's webhook secret."""
    return {"Content-Type": "application/json", **SIGNERS[delivery["vendor"]](delivery)}


def _signature(secret: str, signed: str, *, spoiled: bool) -> str:
    key = secret + ("spoiled" if spoiled else "")
    return hmac.new(key.encode(), signed.encode(), hashlib.sha256).hexdigest()


def _sign_calcom(delivery: Record) -> dict[str, str]:
    secret = configuration().calcom_webhook_secret
    signature = _signature(secret, delivery["body"], spoiled=delivery["badSignature"])
    return {"X-Cal-Signature-256": signature, "X-Cal-Webhook-Version": "2021-10-20"}


def _sign_razorpay(delivery: Record) -> dict[str, str]:
    secret = configuration().razorpay_webhook_secret
    signature = _signature(secret, delivery["body"], spoiled=delivery["badSignature"])
    return {"X-Razorpay-Signature": signature, "x-razorpay-event-id": delivery["eventId"]}


def _sign_stripe(delivery: Record) -> dict[str, str]:
    # The machine's clock, not the sandbox's: the receiver compares it with its own.
    moment = int(time.time())
    secret = configuration().stripe_webhook_secret
    signature = _signature(secret, f"{moment}.{delivery['body']}", spoiled=delivery["badSignature"])
    return {"Stripe-Signature": f"t={moment},v1={signature}"}


SIGNERS: dict[str, Callable[[Record], dict[str, str]]] = {
    "calcom": _sign_calcom,
    "razorpay": _sign_razorpay,
    "stripe": _sign_stripe,
}

_in_flight: set[int] = set()
_wakes = {vendor: threading.Event() for vendor in SIGNERS}


def wake() -> None:
    """Let the sending threads look at the book again."""
    for event in _wakes.values():
        event.set()


def deliver_first() -> None:
    """Send, in this thread, what a fault wants delivered before the answer is given."""
    for delivery in store().all(PENDING):
        if delivery["first"] and delivery["tries"] == 0 and _take(delivery):
            _attempt(delivery)


def start_sending(stopping: threading.Event) -> None:
    """Start one thread per vendor: their events keep their order, and one slow answer does not delay the others."""
    for vendor in SIGNERS:
        threading.Thread(target=_send_forever, args=(vendor, stopping), name=f"webhooks-{vendor}", daemon=True).start()


def _send_forever(vendor: str, stopping: threading.Event) -> None:
    while not stopping.is_set():
        _wakes[vendor].clear()
        due = sorted(_waiting(vendor), key=lambda delivery: (delivery["dueAt"], delivery["id"]))
        wait = due[0]["dueAt"] - time.time() if due else 60.0
        if wait > 0:
            _wakes[vendor].wait(wait)
        elif _take(due[0]):
            _attempt(due[0])


def _waiting(vendor: str) -> list[Record]:
    # One that should go first is left to the thread that serves the call, unless that thread is no more.
    return [
        delivery
        for delivery in store().all(PENDING)
        if delivery["vendor"] == vendor
        and delivery["id"] not in _in_flight
        and not (delivery["first"] and delivery["tries"] == 0 and time.time() < delivery["dueAt"] + TIMEOUT_SECONDS)
    ]


def _take(delivery: Record) -> bool:
    with store().transaction():
        if delivery["id"] in _in_flight or store().get(PENDING, str(delivery["id"])) is None:
            return False
        _in_flight.add(delivery["id"])
        return True


def _attempt(delivery: Record) -> None:
    try:
        _record_attempt(delivery, _post(delivery))
    finally:
        _in_flight.discard(delivery["id"])


def _post(delivery: Record) -> str:
    """Send once and return the status, or the name of what went wrong."""
    url = f"{switch('web').rstrip('/')}/api/webhooks/{delivery['vendor']}"
    try:
        response = requests.post(
            url,
            data=delivery["body"].encode(),
            headers=headers(delivery),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        return type(error).__name__
    return str(response.status_code)


def _record_attempt(delivery: Record, outcome: str) -> None:
    delivery["tries"] += 1
    delivery["answers"].append(outcome)
    with store().transaction():
        if store().get(PENDING, str(delivery["id"])) is None:
            return  # emptied by a reset meanwhile
        if outcome.startswith("2"):
            _finish({**delivery, "outcome": "delivered"})
        elif delivery["tries"] >= _most_tries(delivery["vendor"]):
            _finish({**delivery, "outcome": "given up"})
        else:
            delivery["dueAt"] = time.time() + FIRST_RETRY_SECONDS * RETRY_GROWTH ** (delivery["tries"] - 1)
            store().put(PENDING, str(delivery["id"]), delivery)


def _most_tries(vendor: str) -> int:
    return int(switch("calcomWebhookTries")) if vendor == "calcom" else TRIES


def resend(number: str) -> bool:
    """Send a finished webhook again, as a vendor's dashboard can; say whether it was known."""
    with store().transaction():
        delivery = store().get(FINISHED, number)
        if delivery is None:
            return False
        again = {**delivery, "first": False, "tries": 0, "answers": [], "dueAt": time.time(), "badSignature": False}
        again.pop("outcome")
        _write_once(again)
    wake()
    return True
