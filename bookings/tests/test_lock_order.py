"""Whoever holds several locks has taken them in one order, or two would wait for each other for ever."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.practice_time import local
from bookings.services.booking import book_session, place_paid_hold
from bookings.services.cancellation import cancel_by_calendar, cancel_by_client, cancel_by_practice
from bookings.services.hands import Hand
from bookings.services.holds import expire_holds, release_hold
from bookings.services.unplaced import refund_credit, refund_unplaced
from bookings.states import BookingState
from bookings.tests.builders import make_catalogue, make_payment, make_upcoming, make_wish, next_slot

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bookings.models import Booking
    from payments.models import Payment

pytestmark = pytest.mark.django_db(transaction=True)

ORDER = ["therapist", "bookings", "payments", "refunds", "outbox_messages"]
TAKES = re.compile(r'(BEGIN|COMMIT|pg_advisory_xact_lock)|FROM "(\w+)".* FOR UPDATE', re.DOTALL)


@pytest.fixture(autouse=True)
def _catalogue(transactional_db: None) -> None:
    make_catalogue()


def _transactions(work: Callable[[], object]) -> list[list[str]]:
    """Name what each transaction of a piece of work locks, in the order of the captured SQL."""
    with CaptureQueriesContext(connection) as captured:
        work()
    transactions: list[list[str]] = [[]]
    for query in captured.captured_queries:
        for word, table in TAKES.findall(query["sql"]):
            if word in {"BEGIN", "COMMIT"}:
                transactions.append([])
            else:
                transactions[-1].append("therapist" if word else table)
    return [locks for locks in transactions if locks]


def _paid_hold(now: datetime) -> tuple[Booking, Payment]:
    hold = make_upcoming(BookingState.HELD, hold_expires_at=now + timedelta(minutes=5))
    return hold, make_payment(reference=str(hold.id))


def _placing(now: datetime) -> Callable[[], object]:
    hold, payment = _paid_hold(now)
    return lambda: place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)


def _placing_a_second_payment(now: datetime) -> Callable[[], object]:
    hold, payment = _paid_hold(now)
    place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now)
    second = make_payment(reference=str(hold.id))
    return lambda: place_paid_hold(payment_id=second.id, reference=str(hold.id), now=now)


def _booking_the_hold(now: datetime) -> Callable[[], object]:
    hold, payment = _paid_hold(now)
    slot = local(hold.starts_at)
    wish = make_wish(day=slot.date(), clock=slot.time())
    return lambda: book_session(wish=wish, payment_id=payment.provider_payment_id, now=now)


def _booking_another_time(now: datetime) -> Callable[[], object]:
    _, payment = _paid_hold(now)
    slot = local(next_slot(15))
    wish = make_wish(day=slot.date(), clock=slot.time())
    return lambda: book_session(wish=wish, payment_id=payment.provider_payment_id, now=now)


def _cancelling(now: datetime) -> Callable[[], object]:
    booking = make_upcoming(payment=make_payment())
    return lambda: cancel_by_client(booking_id=booking.id, now=now)


def _cancelling_for_the_practice(now: datetime) -> Callable[[], object]:
    booking = make_upcoming(payment=make_payment())
    return lambda: cancel_by_practice(booking_id=booking.id, actor="staff:1", now=now)


def _cancelling_in_the_calendar(now: datetime) -> Callable[[], object]:
    booking = make_upcoming(payment=make_payment())
    return lambda: cancel_by_calendar(booking_id=booking.id, hand=Hand.CLIENT, at=now, now=now)


def _sending_back_what_is_unplaced(now: datetime) -> Callable[[], object]:
    make_payment(captured_at=now - timedelta(days=9))
    return lambda: refund_unplaced(now=now)


def _sending_a_credit_back(now: datetime) -> Callable[[], object]:
    payment = make_payment(captured_at=now)
    booking = make_upcoming(BookingState.CANCELLED, payment=payment, payment_released_at=now)
    return lambda: refund_credit(booking=booking, now=now)


def _releasing(now: datetime) -> Callable[[], object]:
    hold, _ = _paid_hold(now)
    return lambda: release_hold(booking_id=hold.id, now=now)


def _expiring(now: datetime) -> Callable[[], object]:
    make_upcoming(BookingState.HELD, hold_expires_at=now - timedelta(minutes=5))
    return lambda: expire_holds(now=now)


WORKS = {
    _placing: ["bookings", "payments"],
    _placing_a_second_payment: ["bookings", "payments"],
    _booking_the_hold: ["bookings", "payments"],
    _booking_another_time: ["bookings", "payments"],
    _cancelling: ["bookings", "payments"],
    _cancelling_for_the_practice: ["bookings", "payments"],
    _cancelling_in_the_calendar: ["bookings", "payments"],
    _sending_back_what_is_unplaced: ["payments"],
    _sending_a_credit_back: ["payments"],
    _releasing: ["bookings"],
    _expiring: ["bookings"],
}


def test_cancelling_reckons_what_goes_back_under_the_payments_lock(now: datetime) -> None:
    """What staff send back meanwhile is either seen, or waits."""
    cancel = _cancelling(now)

    with CaptureQueriesContext(connection) as captured:
        cancel()

    said = [query["sql"] for query in captured.captured_queries]
    locked = next(index for index, sql in enumerate(said) if 'FROM "payments"' in sql and "FOR UPDATE" in sql)
    reckoned = next(index for index, sql in enumerate(said) if 'FROM "refunds"' in sql)
    assert locked < reckoned


@pytest.mark.parametrize(("prepare", "tables"), WORKS.items(), ids=[work.__name__.strip("_") for work in WORKS])
def test_locks_are_taken_in_one_order(
    prepare: Callable[[datetime], Callable[[], object]], tables: list[str], now: datetime
) -> None:
    transactions = _transactions(prepare(now))

    taken = {lock for locks in transactions for lock in locks}
    assert [table for table in ("bookings", "payments") if table in taken] == tables
    for locks in transactions:
        first_seen = list(dict.fromkeys(locks))
        backwards = [(one, next_) for one, next_ in pairwise(first_seen) if ORDER.index(one) > ORDER.index(next_)]
        assert backwards == [], locks
