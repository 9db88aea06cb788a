"""Many at once, on real servers: few calls upstream, nobody waits, and no session is lost or made twice."""

from __future__ import annotations

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

import requests

from bookings.practice_time import local
from bookings.tests.builders import next_slot
from bookings.tests.journeys.stack import wait_until
from mindfulqalb.development.measuring import Load, measure

if TYPE_CHECKING:
    from bookings.tests.journeys.stack import Stack
    from bookings.tests.visitor import Visitor

CLIENTS = 50
REQUESTS = 1000
DAYS = 30
SESSIONS = ("individual-video", "couples-video", "free")
LOST = 20


def _asked(number: int) -> dict[str, str]:
    day = local(next_slot(days=1)).date() + timedelta(days=number % DAYS)
    return {"date": day.isoformat(), "sessionType": SESSIONS[number % len(SESSIONS)]}


def _upstream_calls(stack: Stack) -> Counter[str]:
    """Count the calls for free times by event type."""
    paths = [entry["path"] for entry in stack.sandbox.call_log("calcom.slots.list")]
    return Counter(parse_qs(urlsplit(path).query)["eventTypeId"][0] for path in paths)


def test_thousand_requests_by_fifty_clients_cost_two_calls_per_event_type_at_most(stack: Stack) -> None:
    """All of them begin cold, and the calendar takes its time."""
    stack.sandbox.fault("calcom", "delay", "slots.list", times=None, seconds=0.3)
    before = _upstream_calls(stack)

    def ask(numbers: range) -> list[tuple[int, bool]]:
        with requests.Session() as browser:
            answers = [browser.get(f"{stack.url}/api/availability", params=_asked(n), timeout=30) for n in numbers]
        return [(answer.status_code, answer.json()["stale"]) for answer in answers]

    with ThreadPoolExecutor(CLIENTS) as crowd:
        shares = [range(first, REQUESTS, CLIENTS) for first in range(CLIENTS)]
        answers = Counter(itertools.chain.from_iterable(crowd.map(ask, shares)))
    stack.sandbox.clear_faults()

    made = _upstream_calls(stack) - before
    assert answers == {(200, False): REQUESTS}
    assert {event_type: calls for event_type, calls in made.items() if calls > 2} == {}


def test_twenty_lost_answers_in_a_row_under_load_book_each_session_once(stack: Stack) -> None:
    slots = [next_slot(hour, days=days) for days in (50, 51, 52) for hour in range(9, 18)][:LOST]
    visitors = [stack.visitor(slot, email=f"lost{n}@example.com") for n, slot in enumerate(slots)]
    payments = [visitor.paid_payment_id() for visitor in visitors]
    creates = stack.sandbox.calls("calcom.bookings.create")
    stack.sandbox.fault("calcom", "drop", "bookings.create", times=LOST)

    with Readers(stack) as read, ThreadPoolExecutor(LOST) as crowd:
        booked = Counter(status for status, _ in crowd.map(_book, visitors, payments))
        wait_until(lambda: _states(stack, payments) == ["CONFIRMED"] * LOST, "twenty confirmations")

    assert (set(booked) <= {201, 202}, read.statuses) == (True, {200})
    appointments = [
        (item["attendees"][0]["email"], item["status"])
        for item in stack.sandbox.state()["calcom"]["bookings"]
        if item["attendees"][0]["email"].startswith("lost")
    ]
    assert sorted(appointments) == sorted((visitor.email, "accepted") for visitor in visitors)
    assert stack.sandbox.calls("calcom.bookings.create") - creates == LOST


def _states(stack: Stack, payments: list[str]) -> list[str]:
    return [state for state, paid in stack.rows("SELECT state, payment_id FROM bookings") if paid in payments]


def _book(visitor: Visitor, payment_id: str) -> tuple[int, object]:
    return visitor.book(payment_id)


class Readers:
    """Some who look at the times while it lasts, and which answers they got."""

    def __init__(self, stack: Stack) -> None:
        self.statuses: set[int] = set()
        self._stack = stack
        self._is_over = Event()
        self._crowd = ThreadPoolExecutor(4)

    def __enter__(self) -> Self:
        for first in range(4):
            self._crowd.submit(self._read, first)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._crowd.shutdown()

    def _read(self, first: int) -> None:
        for number in itertools.count(first):
            if self._is_over.wait(0.02):
                return
            answer = requests.get(f"{self._stack.url}/api/availability", params=_asked(number), timeout=30)
            self.statuses.add(answer.status_code)


def test_warm_answers_do_not_wait_for_the_calendar(stack: Stack) -> None:
    """A calendar this slow leaves room for whatever else the machine does; `measure_availability` tells the speed."""
    load = Load(stack.url, stack.sandbox.url, SESSIONS, requests=150, clients=10, rate=50, latency=2.0)

    measured = measure(load)

    assert measured.answers == {"200": load.requests + len(SESSIONS)}
    assert measured.warm_at(95) < load.latency / 10
