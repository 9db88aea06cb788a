"""The list of bookings reads a page and not the table, whatever it is filtered by, and counts only what it pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking
from bookings.states import BookingState
from bookings.tests.builders import make_booking
from mindfulqalb.encryption.blind_index import email_digest, phone_digest
from mindfulqalb.staff import paging

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

LIST = "/admin/bookings/booking/"
ROWS = 10_000
# A past of hours, one after the other, of which each filter below keeps one in a hundred.
PAST = "INSERT INTO bookings ({}) SELECT {} FROM bookings, generate_series(1, %s) AS number"
OWN = {
    "id": "gen_random_uuid()",
    "starts_at": "starts_at - number * interval '1 hour'",
    "ends_at": "ends_at - number * interval '1 hour'",
    "state": "CASE WHEN number % 100 = 0 THEN 'REJECTED' ELSE 'CANCELLED' END",
    "session_type": "CASE WHEN number % 100 = 1 THEN 'family' ELSE 'individual' END",
    "customer_email_hash": "md5(number::text)",
    "customer_phone_hash": "md5('phone' || number)",
    "calcom_booking_id": "'uid' || number",
}


@pytest.fixture
def _past() -> None:
    make_booking(state=BookingState.CANCELLED)
    columns = [str(field.column) for field in Booking._meta.concrete_fields]
    values = [OWN.get(column, column) for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(PAST.format(", ".join(columns), ", ".join(values)).replace("number %", "number %%"), [ROWS])
        cursor.execute("ANALYZE bookings")


def _plan_of_the_page(client: Client, query: dict[str, str]) -> str:
    """Open the list, and have explained how its rows were found."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(LIST, query).status_code == 200
    [rows] = [each["sql"] for each in captured if "customer_name_encrypted" in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + rows.replace("%", "%%"))
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.mark.usefixtures("_past")
def test_every_filter_and_search_finds_its_page_by_an_index(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("asha"))
    therapist = Booking.objects.values_list("therapist_id", flat=True)[0]
    wanted = {
        "booking_starts": [{}, {"day": "last-week"}, {"p": "2"}],
        "booking_state": [{"state__exact": "REJECTED"}],
        "booking_type": [{"session_type": "family"}],
        "booking_": [{"therapist__id__exact": str(therapist)}],
        "booking_customer": [{"client": email_digest("nobody@example.com")}],
        "booking_phone": [{"client": phone_digest("+919876543211")}],
        "booking_calendar_uid": [{"q": "uid77"}],
    }

    plans = [(index, query, _plan_of_the_page(client, query)) for index, some in wanted.items() for query in some]

    assert [(query, plan) for index, query, plan in plans if index not in plan or "Seq Scan on bookings" in plan] == []


@pytest.mark.usefixtures("_past")
def test_list_counts_no_further_than_it_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging.CappedPaginator, "most_rows", 150)
    client.force_login(get_user_model().objects.create_superuser("asha"))

    with CaptureQueriesContext(connection) as captured:
        shown = client.get(LIST).context["cl"]

    [counted] = [each["sql"] for each in captured if "COUNT(" in each["sql"]]
    assert (shown.result_count, shown.paginator.num_pages, "LIMIT 150" in counted) == (150, 3, True)
