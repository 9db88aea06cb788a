"""Deployments and crashes in the middle of everything: nobody is turned away, and no work is lost or done twice."""

from __future__ import annotations

import itertools
import signal
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bookings.tests.builders import next_slot
from bookings.tests.journeys.crowd import Crowd, restart
from bookings.tests.journeys.stack import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bookings.tests.journeys.stack import Stack

SLOTS = [next_slot(hour, days=days) for days, hour in itertools.product(range(20, 50), (12, 14, 16))]


@pytest.fixture
def second_web(stack: Stack) -> Iterator[None]:
    """Another web server beside the first, as behind a load balancer."""
    stack.start("web2", ends_by=signal.SIGTERM)
    yield
    stack.kill("web2")


def test_web_that_is_asked_to_end_answers_first(stack: Stack) -> None:
    visitor = stack.visitor(next_slot(17, days=40), email="in.flight@example.com")
    payment_id = visitor.paid_payment_id()
    restart(stack, "web", ends_by=signal.SIGTERM)
    stack.sandbox.fault("calcom", "delay", "bookings.create", seconds=2)

    calls = stack.sandbox.calls("calcom.bookings.create")

    with ThreadPoolExecutor(1) as browser:
        answer = browser.submit(visitor.book, payment_id)
        wait_until(lambda: stack.sandbox.calls("calcom.bookings.create") > calls, "the call")
        status = restart(stack, "web")

    assert (status, answer.result()[0]) == (0, 201)


def test_worker_that_is_asked_to_end_finishes_what_it_is_at(stack: Stack) -> None:
    visitor = stack.visitor(next_slot(17, days=41), email="in.hand@example.com")
    restart(stack, "worker", ends_by=signal.SIGTERM)
    _, hold = visitor.hold()
    calls = stack.sandbox.calls("calcom.bookings.create")
    stack.sandbox.fault("calcom", "delay", "bookings.create", seconds=2)
    visitor.pay(hold["payment"]["orderId"])
    wait_until(lambda: stack.sandbox.calls("calcom.bookings.create") > calls, "the worker's call")

    status = stack.kill("worker")

    assert (status, stack.status(hold), stack.sandbox.calls("calcom.bookings.create")) == (0, "confirmed", calls + 1)
    stack.start("worker")


@pytest.mark.usefixtures("second_web")
def test_restarts_of_everything_under_load_lose_nothing(stack: Stack) -> None:
    terminable = partial(restart, stack, ends_by=signal.SIGTERM)
    with Crowd(stack, SLOTS, clients=3) as crowd, ThreadPoolExecutor(2) as hands:
        list(hands.map(terminable, ("web", "worker")))  # both at once, by SIGKILL, as they were started
        restart(stack, "redis")
        statuses = [restart(stack, "web2"), *hands.map(partial(restart, stack), ("web", "worker"))]
    crowd.await_the_end()

    assert statuses == [0, 0, 0]
    assert set(crowd.answers) <= {200, 201, 202}
    assert len(crowd.emails) > 4
    assert crowd.confirmed() == sorted(crowd.emails)
    # A worker that was killed between the mail server's yes and our note of it has sent the same message again.
    assert set(crowd.mails()) == set(crowd.emails)
