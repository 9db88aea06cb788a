"""What a purge asks of the database: rows are found by an index, and change many at a time."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking
from bookings.states import BookingState
from bookings.tests.builders import make_booking
from consent.publishing import publish_shipped_document
from mindfulqalb.retention.purging import purge_expired
from mindfulqalb.retention.registry import kinds
from mindfulqalb.webhooks.models import WebhookDelivery

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
# So few rows, for ever, that reading all of them is nothing: findings, devices of staff, requests, clients who refused.
SHORT = {"calendar_findings", "staff_known_devices", "subject_requests", "reminder_refusals"}
PLAN = ("SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off", "SET LOCAL enable_sort = off")


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def statements(now: datetime, wanted: Callable[[str], bool], chunk_rows: int = 500) -> list[str]:
    """Purge to the end, and keep what was asked of the database."""
    with CaptureQueriesContext(connection) as captured:
        list(purge_expired(now=now, chunk_rows=chunk_rows))
    return [each["sql"] for each in captured if wanted(each["sql"])]


def is_finding(statement: str) -> bool:
    return "SKIP LOCKED" in statement


def table_of(statement: str) -> str:
    return statement.partition(' FROM "')[2].partition('"')[0]


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        for setting in PLAN:
            cursor.execute(setting)
        cursor.execute("EXPLAIN " + statement.replace("%", "%%"))
        return "\n".join(line for (line,) in cursor.fetchall())


def is_found_by_index(statement: str) -> bool:
    """Whether the rows come in order out of an index that knows which are due."""
    clock, plan = re.findall(r'"(\w+)" <= ', statement)[0], plan_of(statement)
    return bool(re.search(rf"Index Cond: .*\b{clock} <=", plan)) and not re.search(r"->  Sort\b", plan)


def make_old(now: datetime, count: int) -> None:
    at = now - timedelta(days=9 * 365)
    publish_shipped_document(now=at)
    for number in range(count):
        starts_at = at + number * HOUR
        make_booking(state=BookingState.CANCELLED, starts_at=starts_at, ends_at=starts_at + HOUR)


def test_whatever_can_grow_long_is_found_by_an_index_in_the_order_in_which_it_goes(now: datetime) -> None:
    found = statements(now, is_finding)

    read_whole = {table_of(statement) for statement in found if not is_found_by_index(statement)}

    assert (len(found), read_whole) == (len(kinds), SHORT)


def test_persons_of_many_sessions_are_taken_out_by_one_statement(now: datetime) -> None:
    make_old(now, 3)

    changes = statements(now, lambda statement: statement.startswith('UPDATE "bookings" AS'))

    assert (len(changes), Booking.objects.exclude(customer_email_hash="").count()) == (1, 0)
    assert [(booking.customer_name, booking.customer_email) for booking in Booking.objects.all()] == [("", "")] * 3


def test_next_chunk_is_looked_for_where_the_last_one_ended(now: datetime) -> None:
    times = [now - timedelta(days=800) + number * HOUR for number in range(3)]
    for at in times:
        told = {"vendor": "stripe", "event_id": str(at), "body": "{}", "body_digest": "0" * 64}
        WebhookDelivery.objects.create(**told, received_at=at)

    found = statements(now, lambda statement: is_finding(statement) and "webhook" in statement, chunk_rows=1)

    froms = [re.findall(r"\"received_at\" >= '([^']+)'", statement) for statement in found]
    assert froms == [[]] + [[str(at)] for at in times]
