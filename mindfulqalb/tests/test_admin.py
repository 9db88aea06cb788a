"""Every page of the admin, with one object of every kind: it opens, shows no client, and lets nobody write evidence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import URLPattern, reverse

from bookings.models import Booking, CalendarFinding, LedgerEntry, Reminder
from consent.models import ConsentDocument, ConsentRecord
from mindfulqalb.audit.models import AuditCheckpoint, AuditEvent, AuditSeal, AuditVerification
from mindfulqalb.bulk_actions.models import BulkAction
from mindfulqalb.catalogue.models import CancellationRule, SessionOffer, Therapist
from mindfulqalb.encryption.fields import EncryptedTextField
from mindfulqalb.mail.models import SentMail
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.retention.models import LegalHold, Restriction, RetentionRule, Tombstone
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.tests.builders import log_in
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.tests.everything import ADDRESS, CLAIMED, CLIENT, make_everything
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.models import Dispute, Payment, Refund
from payments.receipts.models import Receipt

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest
    from django.test import Client

pytestmark = pytest.mark.django_db

TRACES = re.compile(rf"xanthippe|quuxworth|9812345670|{re.escape(ADDRESS)}|{re.escape(CLAIMED)}|Sealed", re.IGNORECASE)
DRAFTED = {ConsentDocument}  # writable until published; the row here is
WRITABLE = {SessionOffer, Therapist, CancellationRule, StaffMember, Group, RetentionRule, LegalHold, SubjectRequest}
READ_ONLY = sorted(
    {model._meta.label for model in admin.site._registry} - {model._meta.label for model in WRITABLE | DRAFTED}
)
EVIDENCE = [
    "audit.AuditEvent",
    "consent.ConsentDocument",
    "consent.ConsentRecord",
    "receipts.Receipt",
    "retention.Tombstone",
]
ALL = sorted(model._meta.label for model in admin.site._registry)


@pytest.fixture(autouse=True)
def _staff_and_rows(client: Client) -> None:
    log_in(client)
    make_everything()


def model_of(label: str) -> type[Model]:
    return next(model for model in admin.site._registry if model._meta.label == label)


def address(label: str, page: str, *arguments: object) -> str:
    return reverse(f"admin:{label.lower().replace('.', '_')}_{page}", args=arguments)


def row_of(label: str) -> Model:
    return model_of(label)._base_manager.all()[0]


def snapshot(label: str) -> list[Any]:
    return list(model_of(label)._base_manager.order_by("pk").values())


def test_everything_in_the_admin_is_known_here() -> None:
    money = {Dispute, LedgerEntry, Payment, Receipt, Refund}
    evidence = {Booking, ConsentDocument, ConsentRecord, OutboxMessage, Reminder, SentMail} | money
    trail = {AuditCheckpoint, AuditEvent, AuditSeal, AuditVerification, Restriction, Tombstone}

    assert set(admin.site._registry) == evidence | trail | {BulkAction, CalendarFinding, WebhookDelivery} | WRITABLE


@pytest.mark.parametrize("label", ALL)
def test_list_and_detail_open_and_show_no_client(client: Client, label: str) -> None:
    pages = [
        address(label, "changelist"),
        address(label, "change", row_of(label).pk),
        address(label, "history", row_of(label).pk),
    ]

    answers = [client.get(page) for page in pages]

    shown = [TRACES.findall(answer.content.decode()) for answer in answers]
    assert ([answer.status_code for answer in answers], shown) == ([200] * 3, [[]] * 3)


@pytest.mark.parametrize("label", ALL)
def test_search_survives_anything_and_finds_no_client(client: Client, label: str) -> None:
    words = ("%", "\x00", "'" * 300, CLIENT.name, CLIENT.email)

    answers = [client.get(address(label, "changelist"), {"q": word}) for word in words]

    found = [len(answer.context["cl"].result_list) for answer in answers[-2:]]
    everything = 0 if admin.site._registry[model_of(label)].search_fields else len(snapshot(label))
    assert ([answer.status_code for answer in answers], found) == ([200] * 5, [everything, everything])


SEALED = [
    (model._meta.label, field.name)
    for model in admin.site._registry
    for field in model._meta.concrete_fields
    if isinstance(field, EncryptedTextField)
]


@pytest.mark.parametrize(("label", "name"), SEALED)
@pytest.mark.parametrize("lookup", ["", "__exact", "__startswith", "__gt", "__regex"])
def test_nobody_guesses_sealed_values_through_the_address(client: Client, label: str, name: str, lookup: str) -> None:
    response = client.get(address(label, "changelist"), {f"{name}{lookup}": "x"})

    assert (response.status_code, response.headers.get("Location")) == (302, f"{address(label, 'changelist')}?e=1")


@pytest.mark.parametrize("label", READ_ONLY)
def test_read_only_pages_refuse_every_way_of_writing(client: Client, label: str) -> None:
    row = row_of(label)
    before = snapshot(label)
    sent = dict.fromkeys(before[0], "x") | {"_save": "Save", "post": "yes"}
    doors = [address(label, "add"), address(label, "change", row.pk), address(label, "delete", row.pk)]

    refused = [client.post(door, sent).status_code for door in doors]
    looked = [client.get(door).status_code for door in doors]

    assert (refused, looked, snapshot(label)) == ([403, 403, 403], [403, 200, 403], before)


@pytest.mark.parametrize("label", READ_ONLY)
def test_read_only_lists_neither_delete_nor_edit(client: Client, label: str) -> None:
    row, before = row_of(label), snapshot(label)
    chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
    edited = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(row.pk), "_save": "Save"}

    for data in (chosen, chosen | {"select_across": "1"}, edited):
        client.post(address(label, "changelist"), data, follow=True)

    page = client.get(address(label, "changelist")).content.decode()
    assert (snapshot(label), "delete_selected" in page, isinstance(admin.site._registry[type(row)], ReadOnlyAdmin)) == (
        before,
        False,
        True,
    )


def patterns_of(label: str) -> list[URLPattern]:
    """Every address that the admin has for a model, whoever registered it."""
    return [pattern for pattern in admin.site._registry[model_of(label)].get_urls() if isinstance(pattern, URLPattern)]


@pytest.mark.parametrize("label", EVIDENCE)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_evidence_through_any_address_of_the_admin(client: Client, label: str, method: str) -> None:
    row, before = row_of(label), snapshot(label)
    base = address(label, "changelist")
    sent = dict.fromkeys(before[0], "x") | {"_save": "Save", "post": "yes", "confirmed": "yes"}
    actions = admin.site._registry[model_of(label)].get_actions(_request_of(client))

    walked = [base + str(pattern.pattern).replace("<path:object_id>", str(row.pk)) for pattern in patterns_of(label)]
    for path in walked:
        getattr(client, method)(path, sent)
    for action in {*actions, "delete_selected"}:
        client.post(base, {"action": action, "_selected_action": [str(row.pk)], "select_across": "1", "post": "yes"})

    # A draft beside it may be begun; the row that is evidence stays, and stays as it is.
    after = {item["id"]: item for item in snapshot(label)}
    assert ([item for item in before if after.get(item["id"]) != item], len(walked) >= 5) == ([], True)


def _request_of(client: Client) -> HttpRequest:
    response = client.get("/admin/")
    return response.wsgi_request


@pytest.mark.parametrize("label", READ_ONLY)
def test_read_only_detail_has_no_field_to_fill_in(client: Client, label: str) -> None:
    page = client.get(address(label, "change", row_of(label).pk)).content.decode()

    form = page[page.index(f'id="{model_of(label)._meta.model_name}_form"') :]
    inputs = re.findall(r"<(?:input|select|textarea)[^>]*name=\"([^\"]+)\"", form)
    assert [name for name in inputs if name != "csrfmiddlewaretoken"] == []


@pytest.mark.parametrize("label", ALL)
def test_admin_keeps_out_whoever_has_no_permission(client: Client, label: str) -> None:
    client.force_login(StaffMember.objects.create_user("trainee", is_staff=True))
    pages = [address(label, "changelist"), address(label, "change", row_of(label).pk)]

    assert [client.get(page).status_code for page in pages] == [403, 403]


def test_front_page_of_the_admin_shows_no_client(client: Client) -> None:
    response = client.get("/admin/")

    assert (response.status_code, TRACES.findall(response.content.decode())) == (200, [])
