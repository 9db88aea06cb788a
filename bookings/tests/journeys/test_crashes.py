"""Killing a process between any two steps ends in the same confirmed booking, once."""

from __future__ import annotations

import itertools
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from bookings.practice_time import clock_text, local
from bookings.tests.builders import next_slot
from bookings.tests.journeys.stack import wait_until
from mindfulqalb.api.public_ids import BOOKING

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.tests.journeys.stack import Stack
    from bookings.tests.visitor import Visitor

VICTIMS = ["web", "worker", "redis", "sandbox"]
STEPS = ["held", "paid", "verified", "booking", "booked"]
_slots = itertools.product(range(5, 50), (9, 11, 13, 15))


def _fresh_slot() -> datetime:
    days, hour = next(_slots)
    return next_slot(hour, days=days)


def _subjects(mails: list[dict[str, Any]]) -> list[str]:
    """What the mails are about, apart from the receipt, which comes when it is made."""
    return [mail["subject"] for mail in mails if not mail["subject"].startswith("Your receipt")]


@dataclass
class Journey:
    """A client with a hold who goes on whatever happens, as a person with a reload button does."""

    stack: Stack
    visitor: Visitor
    victim: str
    dies_after: str

    def run(self) -> dict[str, Any]:
        """Walk through all steps and return the hold."""
        _, hold = self.visitor.hold()
        self._perhaps_kill("held")
        triple = self._insist(lambda: self.visitor.pay(hold["payment"]["orderId"]))
        self._perhaps_kill("paid")
        self._insist(lambda: self.visitor.verify(triple))
        self._perhaps_kill("verified")
        if self.dies_after == "booking":
            self.stack.sandbox.fault("calcom", "delay", "bookings.create", seconds=1)
        self._book(triple["razorpay_payment_id"])
        self._perhaps_kill("booked")
        return dict(hold)

    def _book(self, payment_id: str) -> None:
        if self.dies_after != "booking":
            self._insist(lambda: self.visitor.book(payment_id))
            return
        try:
            body = self.visitor.wish | {"paymentId": payment_id}
            requests.post(f"{self.stack.url}/api/bookings", json=body, timeout=0.3)
        except requests.RequestException:
            self._perhaps_kill("booking")

    def _perhaps_kill(self, step: str) -> None:
        if step == self.dies_after:
            self.stack.kill(self.victim)
            self.stack.start(self.victim)

    def _insist(self, call: Any) -> Any:
        def answered() -> Any:
            try:
                answer = call()
            except requests.RequestException:
                return None
            return answer if not isinstance(answer, tuple) or answer[0] < 500 else None

        return wait_until(answered, "an answer")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("victim", VICTIMS)
def test_journey_with_a_hold_survives_a_kill(victim: str, step: str, stack: Stack) -> None:
    visitor = stack.visitor(_fresh_slot(), email=f"{victim}.{step}@example.com")

    hold = Journey(stack, visitor, victim, step).run()

    wait_until(lambda: stack.status(hold) == "confirmed", "the confirmation")
    wait_until(lambda: stack.mails_to(visitor.email), "the mail")
    appointments = [
        item
        for item in stack.sandbox.state()["calcom"]["bookings"]
        if visitor.email in str(item["attendees"]) and item["status"] == "accepted"
    ]
    assert len(appointments) == 1
    assert _subjects(stack.mails_to(visitor.email)) == ["Your appointment is confirmed"]


@pytest.mark.parametrize("victim", VICTIMS)
def test_journey_without_a_hold_leaves_the_payment_to_be_spent(victim: str, stack: Stack) -> None:
    visitor = stack.visitor(_fresh_slot(), email=f"{victim}.nohold@example.com")
    _, order = visitor.order()
    triple = visitor.pay(order["orderId"])

    stack.kill(victim)
    stack.start(victim)

    assert wait_until(lambda: visitor.book(triple["razorpay_payment_id"])[0] == 201, "the booking") is True


def test_browser_closed_right_after_paying_is_booked_all_the_same(stack: Stack) -> None:
    visitor = stack.visitor(_fresh_slot(), email="closed@example.com")
    _, hold = visitor.hold()

    visitor.pay(hold["payment"]["orderId"])

    wait_until(lambda: stack.status(hold) == "confirmed", "the confirmation")
    mails = wait_until(lambda: stack.mails_to(visitor.email), "the mail")
    assert _subjects(mails) == ["Your appointment is confirmed"]


def test_stripe_paid_and_browser_closed_is_booked_all_the_same(stack: Stack) -> None:
    visitor = stack.visitor(_fresh_slot(), email="closed.stripe@example.com")
    _, hold = visitor.hold("stripe")

    stack.sandbox.pay_stripe(hold["payment"]["sessionId"])

    wait_until(lambda: stack.status(hold) == "confirmed", "the confirmation")


def test_payment_while_redis_and_worker_are_dead_is_placed_when_they_are_back(stack: Stack) -> None:
    visitor = stack.visitor(_fresh_slot(), email="darkness@example.com")
    _, hold = visitor.hold()
    stack.kill("redis")
    stack.kill("worker")

    visitor.pay(hold["payment"]["orderId"])
    stack.start("redis")
    stack.start("worker")

    wait_until(lambda: stack.status(hold) == "confirmed", "the confirmation")


@pytest.mark.parametrize("victim", VICTIMS)
def test_move_survives_a_kill_while_the_calendar_is_at_it(victim: str, stack: Stack) -> None:
    visitor = stack.visitor(_fresh_slot(), email=f"{victim}.moves@example.com")
    _, hold = visitor.hold()
    visitor.book(visitor.pay(hold["payment"]["orderId"])["razorpay_payment_id"])
    new = _fresh_slot()
    stack.sandbox.fault("calcom", "delay", "bookings.reschedule", seconds=1)

    body = {"date": local(new).date().isoformat(), "time": clock_text(new)}
    headers = {"Authorization": f"Bearer {hold['token']}"}
    with suppress(requests.RequestException):
        address = f"{stack.url}/api/bookings/{hold['bookingId']}/reschedule"
        requests.post(address, json=body, headers=headers, timeout=0.5)
    stack.kill(victim)
    stack.start(victim)

    subject = "Your appointment has a new time"
    wait_until(lambda: [m for m in stack.mails_to(visitor.email) if m["subject"] == subject], "the mail")
    standing = [
        item["start"]
        for item in stack.sandbox.state()["calcom"]["bookings"]
        if visitor.email in str(item["attendees"]) and item["status"] == "accepted"
    ]
    assert standing == [new.strftime("%Y-%m-%dT%H:%M:%S.000Z")]
    booking_id = BOOKING.decode(hold["bookingId"])
    assert stack.rows(f"SELECT starts_at FROM bookings WHERE id = '{booking_id}'") == [(new,)]  # noqa: S608
    assert stack.rows("SELECT id FROM bookings WHERE held_for_id IS NOT NULL") == []
