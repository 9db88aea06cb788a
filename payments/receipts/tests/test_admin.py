from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.tests.builders import log_in
from payments.receipts.rendering import receipt_pdf
from payments.receipts.tests.builders import PRIYA, make_note, make_receipt

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db


def test_receipts_are_listed_by_number_without_the_person(client: Client) -> None:
    log_in(client)
    receipt, note = make_receipt(), make_note()

    page = client.get(reverse("admin:receipts_receipt_changelist")).content.decode()

    assert (receipt.number in page, note.number in page, PRIYA.name in page) == (True, True, False)


@pytest.mark.parametrize("item_count", [1, 3])
def test_list_costs_the_same_for_any_number(
    item_count: int, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    log_in(client)
    for _ in range(item_count):
        make_receipt()

    client.get(reverse("admin:receipts_receipt_changelist"))  # the first click of a minute renews the session

    with django_assert_num_queries(7):
        client.get(reverse("admin:receipts_receipt_changelist"))


def test_paper_is_handed_to_staff_on_record(client: Client) -> None:
    member = log_in(client)
    receipt = make_receipt()
    paper, why = (reverse(f"admin:receipts_{name}", args=[receipt.id]) for name in ("pdf", "receipt_reveal"))

    turned_away = client.get(paper)
    client.post(why, {"reason": "The client lost it"})
    response = client.get(paper)

    assert (turned_away.status_code, turned_away.headers["Location"]) == (302, why)
    assert (response["Content-Type"], response.content) == ("application/pdf", receipt_pdf(receipt))
    read = AuditEvent.objects.get(action="personal_data.read")
    assert (read.target, read.reason) == (f"receipt:{receipt.pk}", "The client lost it")
    event = AuditEvent.objects.get(action="receipt.seen")
    assert (event.actor, event.target) == (f"staff:{member.pk}", f"payment:{receipt.payment_id}")


def test_paper_is_refused_without_the_right_to_see_receipts(client: Client) -> None:
    member = StaffMember.objects.create_user(username="ravi", is_staff=True)
    member.user_permissions.add(Permission.objects.get(codename="view_payment"))
    client.force_login(member)

    response = client.get(reverse("admin:receipts_pdf", args=[make_receipt().id]))

    assert (response.status_code, AuditEvent.objects.filter(action="receipt.seen").count()) == (403, 0)


def test_paper_of_nobody_is_not_found(client: Client) -> None:
    log_in(client)

    response = client.get(reverse("admin:receipts_pdf", args=["00000000-0000-4000-8000-000000000000"]))

    assert response.status_code == 404
