"""Many at once: nobody waits for ever, no slot is sold twice, no rupee is both spent and sent back."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from django.db.models import Count

from bookings.models import Booking
from bookings.practice_time import local
from bookings.refusals import NotHeld
from bookings.services.booking import book_session, place_paid_hold
from bookings.services.holds import expire_holds, hold_slot, release_hold
from bookings.services.rescheduling import request_move
from bookings.services.unplaced import refund_unplaced
from bookings.states import GIVES_PAYMENT_BACK, BookingState
from bookings.tests.builders import make_catalogue, make_payment, make_upcoming, make_wish, next_slot
from bookings.wishes import Customer, Wish
from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.models import AuditEvent
from payments.models import Payment, Refund
from payments.services import Checkout

if TYPE_CHECKING:
    from collections.abc import Callable

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db(transaction=True)

CHECKOUT = Checkout(success_url="http://127.0.0.1/ok", cancel_url="http://127.0.0.1/no")
LONG_AGO = timedelta(days=3)


@pytest.fixture(autouse=True)
def _catalogue(transactional_db: None) -> None:
    make_catalogue()


def _wish(*, hour: int = 10, person: int = 0, **overrides: Any) -> Wish:
    slot = local(next_slot(hour))
    customer = Customer(name="Somebody", email=f"person{person}@example.com", phone=None)
    return make_wish(day=slot.date(), clock=slot.time(), customer=customer, **overrides)


def _at_once(*calls: Callable[[], object]) -> list[str]:
    """Start all calls at one moment and name what came of each: a refusal's code, else ok. Anything else is raised."""
    start = Barrier(len(calls))

    def run(call: Callable[[], object]) -> str:
        start.wait()
        try:
            call()
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "ok"

    with ThreadPoolExecutor(len(calls)) as crowd:
        return list(crowd.map(run, calls))


def test_payment_sent_for_two_slots_at_once_buys_one(now: datetime) -> None:
    payment_id = make_payment().provider_payment_id

    results = _at_once(
        *(
            lambda hour=hour: book_session(wish=_wish(hour=hour), payment_id=payment_id, now=now)
            for hour in (10, 12, 14, 16)
        )
    )

    assert Counter(results) == {"ok": 1, "payment_already_used": 3}
    assert Booking.objects.count() == 1


@pytest.mark.parametrize("_round", range(5))
def test_payment_is_either_spent_or_sent_back(_round: int, now: datetime) -> None:
    payment = make_payment(captured_at=now - LONG_AGO)

    _at_once(
        lambda: book_session(wish=_wish(), payment_id=payment.provider_payment_id, now=now),
        lambda: refund_unplaced(now=now),
        lambda: refund_unplaced(now=now),
    )

    assert (Booking.objects.count(), Refund.objects.count()) in {(1, 0), (0, 1)}


@pytest.mark.parametrize("_round", range(5))
def test_hold_paid_and_given_up_at_once_ends_in_one_of_both(_round: int, now: datetime) -> None:
    hold = make_upcoming(BookingState.HELD, hold_expires_at=now + timedelta(minutes=5))
    payment = make_payment(reference=str(hold.id))

    results = _at_once(
        lambda: place_paid_hold(payment_id=payment.id, reference=str(hold.id), now=now),
        lambda: release_hold(booking_id=hold.id, now=now),
    )

    hold.refresh_from_db()
    ended = (hold.state, results[1], hold.payment_id)
    assert ended in {
        (BookingState.PENDING, NotHeld.code, payment.provider_payment_id),
        (BookingState.CANCELLED, "ok", None),
    }


@pytest.mark.parametrize("_round", range(5))
def test_overdue_hold_that_is_expired_and_taken_at_once_ends_once(_round: int, now: datetime) -> None:
    hold = make_upcoming(BookingState.HELD, hold_expires_at=now - timedelta(seconds=1))

    results = _at_once(
        lambda: expire_holds(now=now),
        lambda: expire_holds(now=now),
        lambda: book_session(wish=_wish(person=1), payment_id=make_payment().provider_payment_id, now=now),
    )

    hold.refresh_from_db()
    assert (results, hold.state) == (["ok"] * 3, BookingState.EXPIRED)
    assert AuditEvent.objects.filter(action="booking.expired", target=f"booking:{hold.id}").count() == 1


def test_hold_clicked_many_times_at_once_is_one_hold(sandbox: SandboxProcess, now: datetime) -> None:
    consent_id = make_upcoming(BookingState.CANCELLED, wish=_wish()).consent_id
    wish = _wish(consent_id=consent_id)

    results = _at_once(
        *[lambda: hold_slot(wish=wish, pay_with="razorpay", checkout=CHECKOUT, now=now) for _ in range(6)]
    )

    assert (results, Booking.objects.occupying().count()) == (["ok"] * 6, 1)


def test_free_call_asked_for_many_times_at_once_is_one_call(now: datetime) -> None:
    results = _at_once(
        *(
            lambda hour=hour: book_session(
                wish=_wish(hour=hour, session_type="free", session_format=None), payment_id=None, now=now
            )
            for hour in (10, 12, 14, 16)
        )
    )

    # Who proves nothing is told nothing: the first call stands, and each of the others hears what it hears.
    assert (results, Booking.objects.occupying().count()) == (["ok"] * 4, 1)


def test_crowd_doing_everything_at_once_keeps_the_books(now: datetime) -> None:
    """Holds, payments, cancellations, expiry and refunds on one day: no deadlock, and every rule holds after."""
    dice = random.Random(7)
    for hour in range(9, 14):
        until = now + timedelta(minutes=5 * dice.choice([-1, 1]))
        make_upcoming(BookingState.HELD, wish=_wish(hour=hour, person=hour), hold_expires_at=until)
    payments = [make_payment(captured_at=now - LONG_AGO) for _ in range(12)]
    calls: list[Callable[[], object]] = [_one_of_the_crowd(dice, payments, now) for _ in range(120)]

    outcomes = Counter(outcome for start in range(0, 120, 12) for outcome in _at_once(*calls[start : start + 12]))

    assert set(outcomes) <= {"ok", "slot_taken", "payment_already_used", "payment_refunded", "not_held"}
    assert outcomes["ok"] > 0
    claims = Booking.objects.exclude(payment=None).exclude(state__in=GIVES_PAYMENT_BACK)
    claimed = claims.values("payment").annotate(times=Count("id")).filter(times__gt=1)
    both = Payment.objects.filter(bookings__in=claims, refunds__isnull=False)
    assert (list(claimed), list(both)) == ([], [])
    assert _overlaps() == []


def _one_of_the_crowd(dice: random.Random, payments: list[Payment], now: datetime) -> Callable[[], object]:
    hour, person, payment = dice.randrange(9, 18), dice.randrange(8), dice.choice(payments)
    kind = dice.choice(["book", "book", "book", "place", "release", "expire", "refund"])

    def act() -> object:
        match kind:
            case "book":
                return book_session(
                    wish=_wish(hour=hour, person=person), payment_id=payment.provider_payment_id, now=now
                )
            case "place":
                return _place_some_hold(payment, now)
            case "release":
                hold = Booking.objects.filter(state=BookingState.HELD).first()
                return hold and release_hold(booking_id=hold.id, now=now)
            case "expire":
                return expire_holds(now=now)
        return refund_unplaced(now=now + timedelta(hours=1)) if payment.id.int % 4 == 0 else None

    return act


def _place_some_hold(payment: Payment, now: datetime) -> Booking | None:
    hold = Booking.objects.filter(state__in=[BookingState.EXPIRED, BookingState.HELD]).first()
    return place_paid_hold(payment_id=payment.id, reference=str(hold.id) if hold else "", now=now)


def _overlaps() -> list[tuple[datetime, datetime]]:
    rows = sorted(Booking.objects.occupying().values_list("starts_at", "ends_at"))
    return [(end, begin) for (_, end), (begin, _) in itertools.pairwise(rows) if begin < end]


def test_two_clients_moving_to_one_time_one_wins(sandbox: SandboxProcess, now: datetime) -> None:
    rivals = [make_upcoming(hour=hour) for hour in (10, 12)]
    moves = [partial(request_move, booking_id=rival.id, starts_at=next_slot(15), now=now) for rival in rivals]

    said = _at_once(*moves)

    assert (sorted(said), Booking.objects.filter(held_for__isnull=False).count()) == (["ok", "slot_taken"], 1)
