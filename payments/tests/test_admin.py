from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from mindfulqalb.staff.tests.builders import make_member
from payments.models import Payment, Refund
from payments.states import RefundReason
from payments.tests.builders import make_captured_payment, make_payment

if TYPE_CHECKING:
    from datetime import datetime

    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

CHANGELIST = "admin:payments_payment_changelist"
LISTS = ("payment", "refund")
SAID = {"by": "Razorpay", "what_for": "Couples, video call", "price": "INR 1,299.00", "state": "Captured"}


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_shows_payments_in_a_fixed_number_of_queries(
    count: int, admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(count):
        make_payment(reference=f"visit-{number}")

    admin_client.get(reverse(CHANGELIST))  # the first click of a minute renews the session

    with django_assert_num_queries(7):
        response = admin_client.get(reverse(CHANGELIST))

    assert sorted(row.reference for row in response.context["cl"].result_list) == [
        f"visit-{number}" for number in range(count)
    ]


@pytest.mark.parametrize(
    "query",
    [{"q": "order_1"}, {"q": "pay_1"}, {"q": "visit-1"}, {"state": "CAPTURED"}, {"attention": "second_capture"}],
)
def test_the_list_is_searched_and_filtered(admin_client: Client, query: dict[str, str]) -> None:
    make_payment(reference="visit-2", provider_order_id="order_2")
    wanted = make_captured_payment(provider_order_id="order_1", provider_payment_id="pay_1", attention="second_capture")

    response = admin_client.get(reverse(CHANGELIST), query)

    assert list(response.context["cl"].result_list) == [wanted]


def test_payment_shows_first_what_finance_asks_and_folds_the_rest(admin_client: Client) -> None:
    payment = make_captured_payment()

    response = admin_client.get(reverse("admin:payments_payment_change", args=[payment.id]))

    first, rest = [[name for line in fieldset for name in line.fields] for fieldset in response.context["adminform"]]
    assert first == [
        *("paid_for", "price", "state", "attention", "arrived", "captured_at"),
        *("gone_back", "left", "money_back", "by", "provider_payment_id", "story"),
    ]
    assert "provider_order_id" in rest
    assert response.content.count(b"<details>") == 1


def test_a_payment_can_be_read_and_not_changed(admin_client: Client) -> None:
    payment = make_captured_payment()
    page = reverse("admin:payments_payment_change", args=[payment.id])

    shown = admin_client.get(page)
    refused = admin_client.post(page, {"state": "CREATED", "attention": ""})

    assert (shown.status_code, shown.context["has_change_permission"], refused.status_code) == (200, False, 403)
    assert str(payment.provider_payment_id) in shown.content.decode()
    payment.refresh_from_db()
    assert payment.state == "CAPTURED"


@pytest.mark.parametrize("page", ["add", "delete"])
def test_payments_are_neither_added_nor_deleted_by_hand(page: str, admin_client: Client) -> None:
    payment = make_payment()
    arguments = [payment.id] if page == "delete" else []

    for method in (admin_client.get, admin_client.post):
        assert method(reverse(f"admin:payments_payment_{page}", args=arguments)).status_code == 403
    assert Payment.objects.count() == 1


def test_the_list_offers_no_deletion(admin_client: Client) -> None:
    payment = make_payment()

    admin_client.post(reverse(CHANGELIST), {"action": "delete_selected", "_selected_action": [str(payment.id)]})

    assert Payment.objects.count() == 1


def _found(client: Client, name: str, term: str) -> list[object]:
    page = client.get(reverse(f"admin:payments_{name}_changelist"), {"q": term})
    return [row.pk for row in page.context["cl"].result_list]


def test_search_finds_whole_ids_alone(admin_client: Client, now: datetime) -> None:
    payment = make_captured_payment(provider_payment_id="pay_A1")
    make_captured_payment(provider_payment_id="pay_A12")
    refund = Refund.objects.create(
        payment=payment, reason=RefundReason.STAFF, amount_minor=1, currency="INR", actor="system", requested_at=now
    )

    found = [[_found(admin_client, name, term) for term in ("pay_A1", " pay_A1 ", "pay_A")] for name in LISTS]

    assert found == [[[row.pk], [row.pk], []] for row in (payment, refund)]


def test_list_offers_the_currencies_in_use_and_no_other_order(admin_client: Client) -> None:
    make_payment(reference="a"), make_payment(reference="b", currency="USD")

    shown = admin_client.get(reverse(CHANGELIST)).context["cl"]

    choices = {spec.title: [choice["display"] for choice in spec.choices(shown)] for spec in shown.filter_specs}
    assert (choices["currency"], list(shown.sortable_by)) == (
        ["All", "INR", "USD"],
        ["created_at"],
    )


def test_list_speaks_of_gateways_sessions_and_money_in_words(admin_client: Client) -> None:
    make_captured_payment(reference="a", item="couples-video"), make_captured_payment(reference="b", gateway="stripe")

    answer = admin_client.get(reverse(CHANGELIST))

    page, shown = answer.content.decode(), answer.context["cl"]
    cells = [f'field-{name}">{text}<' for name, text in SAID.items()]
    assert [cell for cell in cells if cell not in page] == []
    choices = {spec.title: [choice["display"] for choice in spec.choices(shown)] for spec in shown.filter_specs}
    assert choices["gateway"] == ["All", "Razorpay", "Stripe"]


@pytest.mark.parametrize("count", [1, 3])
def test_list_of_refunds_names_who_asked_by_one_query(
    count: int, admin_client: Client, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    members = [make_member(username=f"m{number}", last_name="Rao") for number in range(count)]
    for member in members:
        Refund.objects.create(
            payment=make_captured_payment(),
            reason=RefundReason.STAFF,
            amount_minor=1,
            currency="INR",
            actor=f"staff:{member.id}",
            requested_at=now,
        )
    address = reverse("admin:payments_refund_changelist")
    admin_client.get(address)

    with django_assert_num_queries(6):
        page = admin_client.get(address).content.decode()

    assert page.count('field-asked_by">Meera Rao<') == count
