"""The control API: what tests and the pages do to the stand-ins from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox import faults, switches, timers, webhooks
from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calcom import bookings, changes, checking, diary, events
from mindfulqalb.sandbox.calcom.envelope import forget_calls
from mindfulqalb.sandbox.calcom.event_types import HOST_EMAIL
from mindfulqalb.sandbox.calls import readable_body, struck, vendor_call
from mindfulqalb.sandbox.control.envelope import UnknownThingError
from mindfulqalb.sandbox.mailbox import messages
from mindfulqalb.sandbox.razorpay import disputes as razorpay_disputes
from mindfulqalb.sandbox.razorpay import envelope as razorpay
from mindfulqalb.sandbox.razorpay import orders
from mindfulqalb.sandbox.razorpay import paying as razorpay_paying
from mindfulqalb.sandbox.razorpay import refunds as razorpay_refunds
from mindfulqalb.sandbox.store import Record, store
from mindfulqalb.sandbox.stripe import disputes as stripe_disputes
from mindfulqalb.sandbox.stripe import envelope as stripe
from mindfulqalb.sandbox.stripe import paying as stripe_paying
from mindfulqalb.sandbox.stripe import refunds as stripe_refunds
from mindfulqalb.sandbox.stripe.pages import success_url
from mindfulqalb.sandbox.stripe.sessions import find_session, present_session

if TYPE_CHECKING:
    from django.http import HttpRequest

Data = dict[str, Any]


def get_state(request: HttpRequest, data: Data) -> Data:
    """Return everything that the stand-ins know."""
    return {
        "calls": {"counts": store().counters("calls:"), "log": store().all("call")},
        "calcom": {
            "bookings": [bookings.present(booking) for booking in diary.bookings()],
            "reservations": diary.live_reservations(),
        },
        "razorpay": {
            "orders": [orders.present_order(order) for order in store().all(razorpay.ORDER)],
            "payments": store().all(razorpay.PAYMENT),
            "refunds": store().all(razorpay.REFUND),
            "disputes": store().all(razorpay_disputes.DISPUTE),
        },
        "stripe": {
            "sessions": [present_session(session) for session in store().all(stripe.SESSION)],
            "paymentIntents": store().all(stripe.INTENT),
            "charges": store().all(stripe.CHARGE),
            "refunds": store().all(stripe.REFUND),
            "disputes": store().all(stripe_disputes.DISPUTE),
            "events": store().all(stripe.EVENT),
        },
        "smtp": {"messages": messages.messages()},
        "webhooks": get_webhooks(request, data),
        "faults": faults.faults(),
        "switches": switches.switches(),
        "timers": store().all(timers.KIND),
    }


def reset(request: HttpRequest, data: Data) -> Data:
    """Forget everything but where webhooks go."""
    web = store().get(switches.KIND, "web")
    store().clear()
    if web:
        store().put(switches.KIND, "web", web)
    forget_calls()
    store().after_commit(_wake)
    return {"reset": True}


def _wake() -> None:
    # What a moved clock makes due has happened when the caller hears of the move.
    timers.run_due_timers()
    timers.wake()
    webhooks.wake()


def get_faults(request: HttpRequest, data: Data) -> Data:
    """Return what is switched on."""
    return {"faults": faults.faults()}


def add_fault(request: HttpRequest, data: Data) -> Data:
    """Switch a fault on."""
    return faults.add_fault(data)


def remove_faults(request: HttpRequest, data: Data) -> Data:
    """Switch all faults off."""
    faults.remove_all_faults()
    return {"faults": []}


def remove_fault(request: HttpRequest, data: Data, number: str) -> Data:
    """Switch one fault off."""
    if not faults.remove_fault(number):
        raise UnknownThingError(f"There is no fault {number}.")
    return {"faults": faults.faults()}


def get_switches(request: HttpRequest, data: Data) -> Data:
    """Return every switch."""
    return switches.switches()


def turn_switches(request: HttpRequest, data: Data) -> Data:
    """Change switches, all or none."""
    switches.turn(data)
    store().after_commit(_wake)
    return switches.switches()


def advance_clock(request: HttpRequest, data: Data) -> Data:
    """Move the sandbox's clock on: `{"seconds": 3600}`."""
    seconds = data.get("seconds")
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise ValueError("seconds must be a number")  # noqa: TRY004 - like any other wrong value
    switches.turn({"clockOffsetSeconds": switches.switch("clockOffsetSeconds") + seconds})
    store().after_commit(_wake)
    return switches.switches()


def get_webhooks(request: HttpRequest, data: Data) -> Data:
    """Return the outgoing book, each entry with headers signed now, so that a test can send it itself."""
    return {
        "pending": [_with_headers(delivery) for delivery in store().all(webhooks.PENDING)],
        "finished": [_with_headers(delivery) for delivery in store().all(webhooks.FINISHED)],
    }


def _with_headers(delivery: Record) -> Record:
    return {**delivery, "headers": webhooks.headers(delivery)}


def resend_webhook(request: HttpRequest, data: Data, number: str) -> Data:
    """Send a finished webhook again."""
    if not webhooks.resend(number):
        raise UnknownThingError(f"There is no finished webhook {number}.")
    return {"resent": True}


def get_calls(request: HttpRequest, data: Data) -> Data:
    """Return the call log, oldest first, with JSON bodies read, and the counts."""
    log = [{**entry, "body": readable_body(entry)} for entry in store().all("call")]
    return {"counts": store().counters("calls:"), "log": log}


def get_revision(request: HttpRequest, data: Data) -> Data:
    """Return a number that grows with every change."""
    return {"revision": store().revision()}


def get_mailbox(request: HttpRequest, data: Data) -> Data:
    """Return every mail in the order of arrival."""
    return {"messages": messages.messages()}


def empty_mailbox(request: HttpRequest, data: Data) -> Data:
    """Forget every mail."""
    messages.empty_mailbox()
    return {"messages": []}


@vendor_call(razorpay.RAZORPAY, "payments.pay")
def pay_razorpay_order(request: HttpRequest, order_id: str) -> Answer:
    """Pay an order without a browser: `{"outcome": "captured", "email", "contact", "seconds"}`."""
    data = razorpay.read_body(request)
    customer = {name: str(data.get(name) or "") for name in ("email", "contact")}
    seconds = float(data.get("seconds", razorpay_paying.LATE_SECONDS))
    outcome = str(data.get("outcome", "captured"))
    return Answer(200, razorpay_paying.pay(order_id, outcome, customer, seconds, struck(request)))


def settle_razorpay_payment(request: HttpRequest, data: Data, payment_id: str) -> Data:
    """Let the bank answer: `{"status": "authorized" | "captured" | "failed"}`."""
    return razorpay_paying.settle(payment_id, str(data.get("status")))


def settle_razorpay_refund(request: HttpRequest, data: Data, refund_id: str) -> Data:
    """Bring a refund to its end: `{"status": "processed" | "failed"}`."""
    return razorpay_refunds.settle_refund(refund_id, str(data.get("status")))


def dispute_razorpay_payment(request: HttpRequest, data: Data, payment_id: str) -> Data:
    """Let the client's bank ask for the money back: `{"amount"}`, all of it unless told."""
    return razorpay_disputes.raise_dispute(payment_id, data.get("amount"))


def settle_razorpay_dispute(request: HttpRequest, data: Data, dispute_id: str) -> Data:
    """Let the bank decide: `{"status": "open" | "under_review" | "won" | "lost" | "closed"}`."""
    return razorpay_disputes.settle_dispute(dispute_id, str(data.get("status")))


@vendor_call(stripe.STRIPE, "sessions.pay")
def pay_stripe_session(request: HttpRequest, session_id: str) -> Answer:
    """Act on a session without a browser: `{"outcome": "paid" | "delayed" | "declined", "seconds"}`."""
    data = razorpay.read_body(request)
    seconds = data.get("seconds")
    shown = stripe_paying.pay(session_id, str(data.get("outcome", "paid")), struck(request), seconds)
    return Answer(200, {"session": shown, "redirect": success_url(find_session(session_id))})


def settle_stripe_session(request: HttpRequest, data: Data, session_id: str) -> Data:
    """Bring a delayed payment to its end: `{"status": "succeeded" | "failed"}`."""
    return stripe_paying.settle(session_id, str(data.get("status")))


def settle_stripe_refund(request: HttpRequest, data: Data, refund_id: str) -> Data:
    """Bring a refund to its end: `{"status": "succeeded" | "failed" | "canceled"}`."""
    return stripe_refunds.settle_refund(refund_id, str(data.get("status")))


def dispute_stripe_payment(request: HttpRequest, data: Data, intent_id: str) -> Data:
    """Let the client's bank ask for the money back: `{"amount"}`, all of it unless told."""
    return stripe_disputes.raise_dispute(intent_id, data.get("amount"))


def settle_stripe_dispute(request: HttpRequest, data: Data, dispute_id: str) -> Data:
    """Let the bank decide: `{"status": "needs_response" | "under_review" | "won" | "lost" | ...}`."""
    return stripe_disputes.settle_dispute(dispute_id, str(data.get("status")))


def change_booking(request: HttpRequest, data: Data, uid: str, change: str) -> Data:
    """Do to a booking what the therapist does in Cal.com itself."""
    booking = bookings.find_booking(uid)
    reason = str(data.get("reason") or "Changed by the therapist")
    match change:
        case "cancel":
            changes.cancel(booking, reason, _actor(booking, data))
        case "confirm":
            changes.confirm(booking)
        case "decline":
            changes.decline(booking, reason)
        case "no-show":
            changes.set_absent(booking, absent=True, host=False)
        case "meeting-started" | "meeting-ended":
            events.announce_meeting(change.upper().replace("-", "_"), booking)
        case "reschedule":
            booking = _move(request, booking, data, reason)
        case _:
            raise UnknownThingError(f"There is no change {change!r}.")
    return bookings.present(booking)


def _actor(booking: Record, data: Data) -> str:
    """Return whose hand it was: the therapist's, the client's by `{"by": "client"}`, else what is written there."""
    by = str(data.get("by", "host"))
    return {"host": HOST_EMAIL, "client": str(booking["attendee"].get("email", ""))}.get(by, by)


def _move(request: HttpRequest, booking: Record, data: Data, reason: str) -> Record:
    if checking.is_moment(data.get("start")):
        raise ValueError("start must be an ISO 8601 moment, such as 2030-01-31T10:00:00+05:30")
    details = {"start": data["start"], "reschedulingReason": reason, "rescheduledBy": _actor(booking, data)}
    return changes.reschedule(request, booking, details)
