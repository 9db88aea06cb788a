"""Finance finds a client's payments by their exact email or phone, and learns no more by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bookings.states import BookingState
from bookings.tests.builders import JANE, JOHN, make_payment, make_upcoming, make_wish
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.staff.finding import EMAIL_PHONE_OR_ID, NOT_SEARCHABLE
from mindfulqalb.staff.roles import FINANCE
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from uuid import UUID

    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from payments.models import Payment

pytestmark = pytest.mark.django_db

LIST = "/admin/payments/payment/"
LIST_QUERIES = 9


@pytest.fixture(autouse=True)
def _finance(client: Client) -> None:
    client.force_login(make_member(FINANCE))


@pytest.fixture
def payments() -> list[Payment]:
    """What Jane paid, paid twice, and was asked to pay; and what John paid."""
    paid = make_payment()
    make_upcoming(payment=paid)
    twice = make_payment(duplicate_of=paid)
    hold = make_upcoming(BookingState.EXPIRED, hour=12)
    asked = make_payment(reference=str(hold.id), state="CREATED", provider_payment_id=None)
    make_upcoming(hour=14, wish=make_wish(customer=JOHN), payment=make_payment())
    return [paid, twice, asked]


def _search(client: Client, typed: str) -> tuple[str, set[UUID], list[str]]:
    answer = client.post(LIST, {"q": typed}, follow=True)
    address, _ = answer.redirect_chain[-1]
    rows = {row.pk for row in answer.context["cl"].result_list}
    return address, rows, [str(message) for message in answer.context["messages"]]


@pytest.mark.parametrize("typed", [" JANE@example.com", "098765 43210"])
def test_client_is_found_with_all_that_they_paid(client: Client, payments: list[Payment], typed: str) -> None:
    address, rows, said = _search(client, typed)

    assert (rows, said) == ({payment.pk for payment in payments}, [])
    assert (address.startswith("?client="), JANE.email in address) == (True, False)


def test_list_of_a_client_names_nobody(client: Client, payments: list[Payment]) -> None:
    page = client.get(LIST, {"client": email_digest(JANE.email)}).content.decode()

    assert [trace for trace in (JANE.name, JANE.email, str(JANE.phone)) if trace in page] == []


def test_id_is_found_as_before(client: Client, payments: list[Payment]) -> None:
    address, rows, _ = _search(client, str(payments[0].provider_payment_id))

    assert (address, rows) == (f"?q={payments[0].provider_payment_id}", {payments[0].pk})


@pytest.mark.parametrize("typed", ["nobody@example.com", "+919999999999"])
def test_whoever_is_not_known_has_paid_nothing(client: Client, payments: list[Payment], typed: str) -> None:
    assert _search(client, typed)[1:] == (set(), [])


def test_name_is_refused(client: Client, payments: list[Payment]) -> None:
    assert _search(client, JANE.name)[2] == [NOT_SEARCHABLE.format(EMAIL_PHONE_OR_ID)]


def test_search_costs_three_questions_more_than_the_list(
    client: Client, payments: list[Payment], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get(LIST)  # the first click of a minute renews the session

    with django_assert_num_queries(LIST_QUERIES):
        client.get(LIST)
    with django_assert_num_queries(LIST_QUERIES + 3):
        client.get(LIST, {"client": email_digest(JANE.email)})
