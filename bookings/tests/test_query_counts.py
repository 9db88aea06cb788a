"""How often the hot calls ask the database: whoever adds a query says so here."""

from __future__ import annotations

from datetime import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking
from bookings.practice_time import local
from bookings.states import BookingState
from bookings.tests.builders import JOHN, make_booking, make_payment, make_wish, next_slot
from mindfulqalb.catalogue.showing import found_lately

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

    from bookings.tests.visitor import Visitor

# Which offer; which hours are taken.
AVAILABILITY = 2
HOLD = 12
# Up to the calendar call, which has a connection of its own, and the answer.
BOOKING = 15


def _count(call: Callable[[], tuple[int, object]]) -> int:
    """Count the statements that reach the database, transactions apart."""
    with CaptureQueriesContext(connection) as captured:
        status, answer = call()
    assert status in {200, 201}, answer
    said = [query["sql"].split(" ", 1)[0] for query in captured.captured_queries]
    return len([word for word in said if word in {"SELECT", "INSERT", "UPDATE", "DELETE"}])


def _sell(hours: range) -> None:
    """Book hours of the visitor's day for other people."""
    day = local(next_slot()).date()
    for hour in hours:
        make_booking(wish=make_wish(day=day, clock=time(hour, 0), customer=JOHN), state=BookingState.PENDING)


@pytest.mark.parametrize("sold", [range(0), range(11, 12), range(11, 16)])
def test_availability_asks_the_same_for_any_number_of_bookings(
    sold: range, visitor: Visitor, api: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _sell(sold)
    asked = {"date": visitor.wish["date"], "sessionType": "individual"}

    for _ in ("the calendar is asked", "the cache answers"):
        found_lately.cache_clear()
        with django_assert_num_queries(AVAILABILITY):
            slots = api.get("/api/availability", asked).json()["slots"]

    assert len([slot for slot in slots if not slot["available"]]) == len(sold)


@pytest.mark.parametrize("sold", [range(0), range(11, 16)])
def test_hold_asks_the_same_for_any_number_of_bookings(sold: range, visitor: Visitor) -> None:
    visitor.hold()  # consent is given once
    visitor.starts_at = next_slot(17)
    _sell(sold)

    assert _count(visitor.hold) == HOLD
    assert Booking.objects.filter(state=BookingState.HELD).count() == 2


def test_booking_asks_the_same_for_any_number_of_bookings(visitor: Visitor) -> None:
    counts = []
    visitor.hold()  # consent is given once
    for hour, sold in ((9, range(0)), (11, range(12, 16))):
        _sell(sold)
        visitor.starts_at = next_slot(hour)
        counts.append(_count(partial(visitor.book, make_payment().provider_payment_id)))

    assert counts == [BOOKING, BOOKING]


def test_booking_status_asks_for_booking_move_and_receipts(
    visitor: Visitor, api: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _, hold = visitor.hold()

    with django_assert_num_queries(3):
        api.get(f"/api/bookings/{hold['bookingId']}", headers={"Authorization": f"Bearer {hold['token']}"})
