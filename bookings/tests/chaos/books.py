"""The promises, as lists of what breaks them: ours and the vendors' books side by side."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import F, Q, Sum
from psycopg import sql

from bookings.ledger import ledger
from bookings.models import Booking, CalendarFinding
from bookings.states import BookingState
from bookings.tests.chaos.world import PEOPLE
from mindfulqalb.outbox.models import OutboxMessage
from payments.models import Payment, Refund
from payments.states import PaymentState, RefundReason, RefundState

if TYPE_CHECKING:
    from collections.abc import Iterator

# Who has a session and money of it back all the same: somebody decided that.
DECIDED = {RefundReason.STAFF, RefundReason.EXTERNAL}
CANCELLED = (RefundReason.CANCELLED_BY_CLIENT, RefundReason.CANCELLED_BY_PRACTICE)
HAD = {BookingState.CONFIRMED, BookingState.COMPLETED, BookingState.NO_SHOW}
UNDER_WAY = (RefundState.REQUESTED, RefundState.PENDING)
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
READABLE = "SELECT count(*) FROM {} AS found WHERE found::text ~* %s"


def broken_at_any_time() -> Iterator[str]:
    """What may not be for a moment."""
    spans = Booking.objects.occupying().order_by("therapist_id", "starts_at")
    for first, second in pairwise(spans):
        if first.therapist_id == second.therapist_id and second.starts_at < first.ends_at:
            yield f"bookings {first.id} and {second.id} overlap"
    for line in ledger():
        if line.difference:
            yield f"the ledger misses {line.difference} {line.currency}"
    gone = Sum("refunds__amount_minor", filter=Q(refunds__state=RefundState.PROCESSED))
    for payment in Payment.objects.annotate(gone=gone).filter(gone__gt=F("captured_amount_minor")):
        yield f"more has gone back of {payment} than has come"
    for message in OutboxMessage.objects.filter(last_error__contains=" at "):
        yield f"{message} ran into a fault of ours: {message.last_error}"


def broken_when_all_is_done(state: dict[str, Any]) -> Iterator[str]:
    """What may not be once every message is delivered, every vendor has answered and every credit has run out."""
    yield from _unequal_captures(state)
    yield from _unequal_refunds(state)
    yield from _unequal_ledgers(state)
    yield from _unequal_calendars(state)
    yield from _unfinished()
    for payment in Payment.objects.filter(state=PaymentState.CAPTURED):
        yield from _lost_money(payment)


def personal_data_in_clear() -> Iterator[str]:
    """Tables in which somebody's name, email or phone can be read, as text or as bytes."""
    words = {word for person in PEOPLE for word in (person.name.split()[0], person.email, person.phone) if word}
    pattern = "|".join([*words, *(word.encode().hex() for word in words)]).replace("+", r"\+")
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL(READABLE).format(sql.Identifier(table)), [pattern])
            if count := cursor.fetchone()[0]:
                yield f"{count} rows of {table} show personal data"


def _unequal_captures(state: dict[str, Any]) -> Iterator[str]:
    """The same money came, by their books and by ours; of several captures of one order one counts."""
    fields = ("provider_payment_id", "captured_amount_minor", "captured_currency")
    ours = set(Payment.objects.filter(state=PaymentState.CAPTURED).values_list(*fields))
    yield from _difference("captures", set(_captures(state)), ours)
    counted = Payment.objects.filter(state=PaymentState.CAPTURED, duplicate_of=None)
    for order_id, count in Counter(counted.values_list("provider_order_id", flat=True)).items():
        if count > 1:
            yield f"{count} captures of order {order_id} count"


def _captures(state: dict[str, Any]) -> Iterator[tuple[str, int, str]]:
    for payment in state["razorpay"]["payments"]:
        if payment["captured"]:
            yield payment["id"], payment["amount"], payment["currency"]
    for charge in state["stripe"]["charges"]:
        yield charge["payment_intent"], charge["amount"], charge["currency"].upper()


def _unequal_refunds(state: dict[str, Any]) -> Iterator[str]:
    """The same money went back, by their books and by ours, and nothing is still on its way."""
    refunds = Refund.objects.filter(state=RefundState.PROCESSED)
    ours = set(refunds.values_list("provider_refund_id", "payment__provider_payment_id", "amount_minor"))
    theirs = set(_refunds(state))
    yield from _difference("refunds", theirs, ours)
    captured = {payment_id: amount for payment_id, amount, _ in _captures(state)}
    sums: defaultdict[str, int] = defaultdict(int)
    for _, payment_id, amount in theirs:
        sums[payment_id] += amount
    for payment_id, total in sums.items():
        if total > captured[payment_id]:
            yield f"they paid back {total} of {captured[payment_id]}"


def _refunds(state: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    # What Razorpay lets go of because nobody captured it was never ours.
    uncaptured = {payment["id"] for payment in state["razorpay"]["payments"] if not payment["captured"]}
    for refund in state["razorpay"]["refunds"]:
        if refund["status"] == "processed" and refund["payment_id"] not in uncaptured:
            yield refund["id"], refund["payment_id"], refund["amount"]
    for refund in state["stripe"]["refunds"]:
        if refund["status"] == "succeeded":
            yield refund["id"], refund["payment_intent"], refund["amount"]


def _unequal_ledgers(state: dict[str, Any]) -> Iterator[str]:
    """What the product's own ledger says of each currency is what the vendors have taken, paid back and lost."""
    theirs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    currencies = {payment_id: currency for payment_id, _, currency in _captures(state)}
    for _, amount, currency in _captures(state):
        theirs[currency]["captured"] += amount
    for _, payment_id, amount in _refunds(state):
        theirs[currencies[payment_id]]["refunded"] += amount
    ours = {line.currency: Counter(captured=line.captured, refunded=line.refunded) for line in ledger()}
    for currency in theirs.keys() | ours.keys():
        if theirs[currency] != ours.get(currency, Counter()):
            yield f"the ledger of {currency} says {ours.get(currency)}, the vendors {theirs[currency]}"


def _unequal_calendars(state: dict[str, Any]) -> Iterator[str]:
    """Each confirmed session stands once in the calendar, and nothing of ours that is not confirmed."""
    # What could not be followed stands before somebody's eyes.
    shown = set(CalendarFinding.objects.exclude(booking=None).values_list("booking_id", flat=True))
    confirmed = Booking.objects.filter(state=BookingState.CONFIRMED).exclude(id__in=shown)
    ours = set(confirmed.values_list("id", "calcom_booking_id"))
    theirs = [
        (each["metadata"]["reference"], each["uid"])
        for each in state["calcom"]["bookings"]
        if each["status"] in {"accepted", "pending"} and "reference" in each["metadata"]
        if each["metadata"]["reference"] not in {str(booking_id) for booking_id in shown}
    ]
    yield from _difference("appointments", set(theirs), {(str(booking_id), uid) for booking_id, uid in ours})


def _unfinished() -> Iterator[str]:
    for booking in Booking.objects.filter(state__in=[BookingState.HELD, BookingState.PENDING]):
        yield f"booking {booking.id} is still {booking.state}"
    for refund in Refund.objects.filter(state__in=UNDER_WAY):
        yield f"refund {refund.id} is still {refund.state}"


def _lost_money(payment: Payment) -> Iterator[str]:
    """A payment that is not one session, nor gone back as was promised, nor before somebody's eyes."""
    back = payment.refunds.filter(state=RefundState.PROCESSED)
    gone = sum(back.values_list("amount_minor", flat=True))
    reasons = set(back.values_list("reason", flat=True))
    sessions = list(Booking.objects.spending().filter(payment=payment))
    has_session = any(session.state in HAD for session in sessions)
    if has_session and not reasons <= DECIDED:
        yield f"{payment} bought a session and went back for {reasons}"
    if has_session or payment.attention or gone == payment.captured.amount_minor:
        return
    promised = payment.refunds.filter(reason__in=CANCELLED).order_by("requested_at").first()
    owed = (promised.amount_minor if promised else 0) if sessions else payment.captured.amount_minor
    if gone < owed:
        yield f"{gone} of {owed} of {payment} went back ({list(payment.refunds.values_list('reason', 'state'))})"


def _difference(what: str, theirs: set[Any], ours: set[Any]) -> Iterator[str]:
    if theirs != ours:
        yield f"{what} differ: only theirs {theirs - ours}, only ours {ours - theirs}"
