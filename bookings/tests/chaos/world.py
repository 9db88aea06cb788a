"""One practice in trouble: the real services on PostgreSQL, the sandbox's vendors, and a clock that only goes on.

The actors beside this file are state machines on top of it: Hypothesis chooses who does what next. A step may be called
by hand as well, so what Hypothesis prints when it finds something is a regression test already.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, TypeVar

import requests
from django.core.cache import cache
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from bookings.practice_time import local
from bookings.services.moving import move_in_calendar
from bookings.services.placement import place_in_calendar
from bookings.tests.builders import make_catalogue, make_wish
from bookings.wishes import Customer, Wish
from mindfulqalb.api.errors import Refusal
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError
from payments.services import Checkout

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from uuid import UUID

    from bookings.models import Booking
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

T = TypeVar("T")

CHECKOUT = Checkout(success_url="http://127.0.0.1/ok?id={CHECKOUT_SESSION_ID}", cancel_url="http://127.0.0.1/no")
PEOPLE = [
    Customer(name="Zarathustra Quixote", email="zarathustra@chaos.example", phone="+919876500001"),
    Customer(name="Ophelia Quixote", email="ophelia@chaos.example", phone=None),
    Customer(name="Sancho Quixote", email="sancho@chaos.example", phone="+919876500003"),
]
# So many hours after the world begins: one that comes near while it lasts, and some that stay far.
SLOT_HOURS = (9, 27, 28, 50)
# The sandbox's Stripe keeps real time and refuses sessions of more than a day; the last leap comes when none is made.
LONGEST_DAY = timedelta(hours=20)
# Webhooks lie in the sandbox's outgoing book: the machine is their postman, and this address takes nothing.
NOWHERE = "http://127.0.0.1:9"
NEVER_SECONDS = 10**9
EMPTY = """
SET LOCAL mindfulqalb.door = 'retention';
TRUNCATE bookings, payments, refunds, outbox_messages, webhook_deliveries, sent_mails, calendar_cursors CASCADE
"""

GATEWAYS = st.sampled_from(["razorpay", "stripe"])
WHO = st.integers(0, len(PEOPLE) - 1)
SLOT = st.integers(0, len(SLOT_HOURS) - 1)
# Which of those there are, from the newest; it wraps around, so that any number names one.
NTH = st.integers(0, 5)


@dataclass
class Order:
    """What a browser knows of an order: where to pay, for whom, and what the gateway's page gave it."""

    gateway: str
    order_id: str
    payment_row: UUID
    who: int
    slot: int
    triples: list[dict[str, str]] = field(default_factory=list)


class World(RuleBasedStateMachine):
    """What is there, and what time it is."""

    sandbox: ClassVar[SandboxProcess]
    steps: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.started = datetime.now(UTC)
        self.passed = timedelta(0)
        self.orders: list[Order] = []
        self.bookings: list[UUID] = []
        self.captured: set[UUID] = set()
        self._empty()

    @property
    def now(self) -> datetime:
        """The time in this world, and by the sandbox's clock."""
        return datetime.now(UTC) + self.passed

    def pass_time(self, span: timedelta) -> None:
        """Let time go by, here and at the vendors'."""
        self.passed += span
        self.sandbox.advance(span.total_seconds())

    def starts_at(self, slot: int) -> datetime:
        """The start of a slot: on the hour, and not so late that the practice's day ends in it."""
        hour = (self.started + timedelta(hours=SLOT_HOURS[slot])).replace(minute=30, second=0, microsecond=0)
        return hour if local(hour).hour < 22 else hour + timedelta(hours=3)

    def wish(self, who: int, slot: int) -> Wish:
        """A person's wish for a slot."""
        starts_at = local(self.starts_at(slot))
        return make_wish(day=starts_at.date(), clock=starts_at.time(), customer=PEOPLE[who])

    def note(self, booking: Booking) -> None:
        """Remember a booking that somebody has seen."""
        if booking.id not in self.bookings:
            self.bookings.append(booking.id)

    def try_calendar(self, booking: Booking) -> None:
        """Do what a request does after it has made a booking."""
        with suppress(RetryLater, ProviderError):
            place_in_calendar(booking_id=booking.id, timeout=5, now=self.now)

    def try_move(self, booking: Booking) -> None:
        """Do what a request does after it has kept another time."""
        with suppress(RetryLater, ProviderError):
            move_in_calendar(booking_id=booking.id, timeout=5, now=self.now)

    def _empty(self) -> None:
        cache.clear()
        self.sandbox.reset()
        self.sandbox.turn(web=NOWHERE, webhookDelaySeconds=NEVER_SECONDS, availableFrom="00:00", availableTo="23:59")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(EMPTY)
        make_catalogue()


def nth(items: Sequence[T], number: int) -> T:
    """The newest of some things, or an older one."""
    return items[-1 - number % len(items)]


def refusable() -> AbstractContextManager[None]:
    """What a client or a worker may be told; everything else is a fault of ours."""
    return suppress(Refusal, ProviderError)


def vendor_may_say_no() -> AbstractContextManager[None]:
    """What a client at the vendor's page may be told: the order is paid already, the session has ended."""
    return suppress(requests.HTTPError, requests.ConnectionError)
