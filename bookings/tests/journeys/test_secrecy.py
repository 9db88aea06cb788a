"""After a journey nobody can read who it was: not in a table, not in a log, not in Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis

from bookings.tests.builders import next_slot
from bookings.tests.journeys.stack import wait_until

if TYPE_CHECKING:
    from bookings.tests.journeys.stack import Stack

NAME, EMAIL, PHONE = "Xanthippe Quuxworth", "xanthippe.quuxworth@example.org", "+919812345678"
TRACES = ["xanthippe", "quuxworth", "9812345678", "98123 45678"]


def _found(text: str) -> list[str]:
    lowered = text.lower()
    in_hex = [trace.encode().hex() for trace in TRACES] + [NAME.encode().hex()]
    return [trace for trace in [*TRACES, *in_hex] if trace in lowered]


def _tables(stack: Stack) -> list[str]:
    return [name for (name,) in stack.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]


def test_journey_leaves_no_readable_person_anywhere(stack: Stack) -> None:
    visitor = stack.visitor(next_slot(17, days=4), name=NAME, email=EMAIL, phone=PHONE)
    visitor.consent()
    _, hold = visitor.hold()
    triple = visitor.pay(hold["payment"]["orderId"])
    visitor.verify(triple)
    status, _ = visitor.book(triple["razorpay_payment_id"])
    wait_until(lambda: stack.mails_to(EMAIL), "the mail")
    # A refused request is logged too.
    stack.post("/api/bookings", visitor.wish | {"date": f"{NAME} {EMAIL} {PHONE}"})

    tables = {
        table: _found("\n".join(str(row) for row in stack.rows(f'SELECT t::text FROM "{table}" t')))  # noqa: S608
        for table in _tables(stack)
    }
    client = redis.Redis.from_url(stack.redis.url)
    keys = [str(key) + str(client.dump(key)) for key in client.scan_iter()]

    assert status == 201
    assert "bookings" in tables
    assert tables == {table: [] for table in tables}
    assert _found(stack.logs()) == []
    assert _found("\n".join(keys)) == []


def test_traces_would_be_found_if_they_were_there(stack: Stack) -> None:
    assert _found(f"x{NAME}x") == ["xanthippe", "quuxworth"]
    assert _found(EMAIL.encode().hex()) == [b"xanthippe".hex(), b"quuxworth".hex()]
