"""Attackers who send a byte now and then hold connections, and none of web's threads."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from bookings.tests.builders import next_slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from bookings.tests.journeys.stack import Stack

SLOW_CLIENTS = 32  # four for each of web's threads
HEAD = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n%s\r\n\r\n"
DECLARED, CHUNKED = (b"Content-Length: 500", b'{"a": '), (b"Transfer-Encoding: chunked", b'6\r\n{"a": \r\n')
PATHS = [b"/api/bookings/hold", b"/api/webhooks/razorpay", b"/admin/login/", b"/api/availability"]


def slow_clients(stack: Stack, sockets: ExitStack) -> Iterator[socket.socket]:
    """Connect them, and send all but the end."""
    for number in range(SLOW_CLIENTS):
        client = sockets.enter_context(socket.create_connection(("127.0.0.1", stack.web_port)))
        length, begun = (DECLARED, CHUNKED)[number // len(PATHS) % 2]
        client.sendall(HEAD % (PATHS[number % len(PATHS)], length) + begun)
        yield client


def test_slow_bodies_keep_nobody_else_waiting(stack: Stack) -> None:
    visitor = stack.visitor(next_slot(17, days=43), email="in.a.hurry@example.com")
    with ExitStack() as sockets:
        slow = list(slow_clients(stack, sockets))

        status, _ = visitor.book(visitor.paid_payment_id())
        answered, _, _ = select.select(slow, [], [], 0)

    assert (status, answered) == (201, [])


def test_slow_bodies_are_given_up(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BODY_SECONDS", "0.5")
    stack.start("web2")
    with socket.create_connection(("127.0.0.1", stack.second_port), timeout=60) as client:
        client.sendall(HEAD % (PATHS[0], DECLARED[0]) + DECLARED[1])
        answer = b"".join(iter(lambda: client.recv(65536), b""))  # to the end of the connection
    stack.kill("web2")

    assert (answer.split(b"\r\n")[0], b'"code": "body_too_slow"' in answer) == (b"HTTP/1.1 408 Request Timeout", True)
