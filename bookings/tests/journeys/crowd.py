"""Clients who book one session after the other, whatever happens to the servers meanwhile."""

from __future__ import annotations

import itertools
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Self

import requests

from bookings.tests.journeys.stack import wait_until
from bookings.tests.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future
    from datetime import datetime

    from bookings.tests.journeys.stack import Stack

# As a load balancer, and the page behind it: another server when one does not answer, and again for so long.
PATIENCE_SECONDS = 30
# A worker that is ended every few seconds leaves most of its work for afterwards, some twenty pieces a second.
BACKLOG_SECONDS = 240


def restart(stack: Stack, name: str, *, ends_by: signal.Signals = signal.SIGKILL) -> int:
    """End it in the way that its last start chose, and choose the next; return the exit status."""
    status = stack.kill(name)
    stack.start(name, ends_by=ends_by)
    return status


class Crowd:
    """Each client takes a slot, holds it, pays, and books, until the `with` ends; all finish what they began."""

    def __init__(self, stack: Stack, slots: Iterable[datetime], *, clients: int) -> None:
        self.answers: Counter[int] = Counter()
        self.unanswered = 0
        self.seconds: list[float] = []
        self.emails: list[str] = []
        self._stack = stack
        self._slots = enumerate(slots)
        self._lock = Lock()
        self._is_over = Event()
        self._pool = ThreadPoolExecutor(clients)
        self._clients = clients
        self._at_work: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._at_work = [self._pool.submit(self._book_on) for _ in range(self._clients)]
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._pool.shutdown()
        for client in self._at_work:
            client.result()

    def _book_on(self) -> None:
        while not self._is_over.is_set():
            with self._lock:
                number, slot = next(self._slots, (0, None))
                if slot is None:
                    return
                email = f"crowd{number}@example.com"
                self.emails.append(email)
            self._book(Visitor(self._post, self._stack.sandbox, slot, email=email, name=f"Client {number}"))

    def _book(self, visitor: Visitor) -> None:
        # As the page does: by its consent a browser whose answer was lost is given its own hold again.
        _, consent = visitor.consent()
        visitor.extra["consentId"] = consent["consentId"]
        _, hold = visitor.hold()
        triple = visitor.pay(hold["payment"]["orderId"])
        visitor.verify(triple)
        visitor.book(triple["razorpay_payment_id"])

    def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        began = time.monotonic()
        for url in itertools.cycle((self._stack.url, self._stack.second_url)):
            with suppress(requests.RequestException):
                response = requests.post(url + path, json=body, timeout=PATIENCE_SECONDS)
                self.seconds.append(time.monotonic() - began)
                self.answers[response.status_code] += 1
                return response.status_code, response.json()
            self.unanswered += 1
            if time.monotonic() > began + PATIENCE_SECONDS:
                raise TimeoutError(f"nobody answered {path}")
            time.sleep(0.05)
        raise AssertionError

    def await_the_end(self) -> None:
        """Wait until every session is confirmed, everybody has been told, and no work is left lying."""
        everybody = set(self.emails)
        wait_until(lambda: set(self.confirmed()) == everybody, "all confirmations", seconds=BACKLOG_SECONDS)
        wait_until(lambda: set(self.mails()) == everybody, "all mails", seconds=BACKLOG_SECONDS)
        due = "SELECT id FROM outbox_messages WHERE state IN ('PENDING', 'IN_FLIGHT') AND due_at < now()"
        wait_until(lambda: not self._stack.rows(due), "an empty outbox", seconds=BACKLOG_SECONDS)

    def confirmed(self) -> list[str]:
        """The addresses of all whose session stands in the calendar, once for each session."""
        bookings = self._stack.sandbox.state()["calcom"]["bookings"]
        accepted = [item["attendees"][0]["email"] for item in bookings if item["status"] == "accepted"]
        return sorted(email for email in accepted if email in self.emails)

    def mails(self) -> list[str]:
        """The addresses that a confirmation was sent to, once for each mail."""
        mails = [str(mail["to"]) for mail in self._stack.sandbox.mailbox() if "is confirmed" in mail["subject"]]
        return sorted(email for email in self.emails for to in mails if email in to)
