from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, connection, transaction

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.tests.doors import refused, run_sql
from payments.money import Money
from payments.receipts.models import Receipt, ReceiptKind
from payments.receipts.services import NoMoneyMoved, Recipient
from payments.receipts.tests.builders import PRIYA, make_note, make_receipt, make_refund
from payments.tests.builders import NOW, make_captured_payment, make_payment

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


def test_issue_receipt_says_what_the_gateway_captured() -> None:
    payment = make_captured_payment(captured_amount_minor=1600, captured_currency="USD")

    receipt = make_receipt(payment=payment)

    assert (receipt.kind, receipt.payment, receipt.refund) == (ReceiptKind.PAYMENT, payment, None)
    assert (receipt.amount, receipt.issued_at, str(receipt)) == (Money(1600, "USD"), NOW, "R-2026-27-0001")


def test_issue_receipt_again_returns_the_same_one_whatever_changed() -> None:
    receipt = make_receipt()

    again = make_receipt(payment=receipt.payment, recipient=Recipient(name="Other"), now=NOW + timedelta(days=200))

    assert (again.id, again.content) == (receipt.id, receipt.content)


def test_issue_receipt_keeps_what_the_settings_said_that_day(settings: Settings) -> None:
    settings.PRACTICE_LEGAL_NAME = "Dr. A. Rao"
    settings.PRACTICE_ADDRESS = "12 MG Road; Bengaluru;"
    settings.PRACTICE_TAX_LINE = "GSTIN 29"
    receipt = make_receipt()
    settings.PRACTICE_LEGAL_NAME = settings.PRACTICE_TAX_LINE = "Other"

    practice = json.loads(Receipt.objects.get(id=receipt.id).content)["practice"]

    assert (practice["name"], practice["address"], practice["tax_line"]) == (
        "Dr. A. Rao",
        ["12 MG Road", "Bengaluru"],
        "GSTIN 29",
    )


@pytest.mark.parametrize("state", ["CREATED", "PENDING", "FAILED", "EXPIRED"])
def test_issue_receipt_refuses_while_no_money_is_here(state: str) -> None:
    payment = make_payment(state=state)

    with pytest.raises(NoMoneyMoved):
        make_receipt(payment=payment)

    assert Receipt.objects.count() == 0


def test_issue_refund_note_says_what_went_back_and_of_which_receipt() -> None:
    receipt = make_receipt()
    refund = make_refund(payment=receipt.payment, amount_minor=64951)

    note = make_note(refund=refund)

    assert (note.kind, note.refund, note.amount) == (ReceiptKind.REFUND, refund, Money(64951, "INR"))
    assert json.loads(note.content)["receipt"] == receipt.number
    assert make_note(refund=refund) == note


@pytest.mark.parametrize("state", ["REQUESTED", "PENDING", "FAILED"])
def test_issue_refund_note_refuses_while_no_money_has_gone(state: str) -> None:
    with pytest.raises(NoMoneyMoved):
        make_note(refund=make_refund(state=state))


def test_refund_note_is_void_when_the_money_came_back() -> None:
    note = make_note()
    refund = note.refund
    assert refund is not None

    refund.state = "FAILED"

    assert (make_receipt().is_void, note.is_void) == (False, True)


def test_issue_receipt_is_on_record_without_the_person() -> None:
    receipt = make_receipt()

    event = AuditEvent.objects.get(action="receipt.issued")

    assert (event.target, event.details) == (
        f"payment:{receipt.payment_id}",
        {"number": "R-2026-27-0001", "amount": 129900, "currency": "INR"},
    )


def test_receipt_is_sealed_in_the_database() -> None:
    make_receipt()

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(r)::text, content_encrypted FROM receipts r")
        row, sealed = cursor.fetchone()

    assert (PRIYA.name in row, PRIYA.name.encode() in bytes(sealed)) == (False, False)


@pytest.mark.parametrize(
    ("operation", "statement"),
    [
        ("UPDATE", "UPDATE receipts SET sequence = 7"),
        ("UPDATE", "UPDATE receipts SET amount_minor = 1"),
        ("DELETE", "DELETE FROM receipts"),
        ("TRUNCATE", "TRUNCATE receipts CASCADE"),
    ],
)
def test_database_keeps_receipts_as_they_are(operation: str, statement: str) -> None:
    make_receipt()
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")

    with refused("receipts", operation):
        run_sql(statement)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("receipt_once_per_payment", {}),
        ("receipt_names_its_refund", {"kind": ReceiptKind.REFUND}),
        ("receipt_figures_positive", {"sequence": 0, "payment": None}),
        ("receipt_figures_positive", {"amount_minor": 0, "payment": None}),
    ],
)
def test_database_refuses_a_receipt_that_cannot_be(constraint: str, values: dict[str, object]) -> None:
    first = make_receipt()
    given: dict[str, object] = {
        "kind": "R",
        "year": "2026-27",
        "sequence": 9,
        "amount_minor": 1,
        "payment": first.payment,
    }
    wanted = given | values
    payment = wanted["payment"] or make_captured_payment()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Receipt.objects.create(**(wanted | {"payment": payment}), currency="INR", content="{}", issued_at=NOW)
