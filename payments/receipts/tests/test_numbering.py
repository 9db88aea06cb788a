"""Numbers without a gap: whatever runs at once, and whatever is undone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError, transaction

from mindfulqalb.webhooks.tests.connections import await_waiting, start_threads
from payments.receipts.models import Receipt, ReceiptCounter, ReceiptKind
from payments.receipts.numbering import accounting_year, next_number
from payments.receipts.services import Recipient, issue_receipt
from payments.receipts.tests.builders import make_note, make_receipt
from payments.tests.builders import NOW, make_captured_payment

if TYPE_CHECKING:
    from uuid import UUID

    from pytest_django import Settings


class UndoneError(Exception):
    """What a test throws to undo a transaction."""


def _numbers() -> list[str]:
    return [receipt.number for receipt in Receipt.objects.order_by("kind", "year", "sequence")]


def _undone(payment_id: UUID) -> None:
    with transaction.atomic():
        issue_receipt(payment_id=payment_id, recipient=Recipient(), now=NOW)
        raise UndoneError


@pytest.mark.parametrize(
    ("first_month", "moment", "year"),
    [
        (4, datetime(2026, 12, 1, tzinfo=UTC), "2026-27"),
        (4, datetime(2027, 3, 31, 18, 29, 59, tzinfo=UTC), "2026-27"),
        (4, datetime(2027, 3, 31, 18, 30, tzinfo=UTC), "2027-28"),
        (4, datetime(2099, 4, 1, tzinfo=UTC), "2099-00"),
        (1, datetime(2026, 12, 31, 18, 29, 59, tzinfo=UTC), "2026"),
        (1, datetime(2026, 12, 31, 18, 30, tzinfo=UTC), "2027"),
        (12, datetime(2026, 12, 1, tzinfo=UTC), "2026-27"),
    ],
)
def test_accounting_year_begins_on_the_practices_clock(
    first_month: int, moment: datetime, year: str, settings: Settings
) -> None:
    settings.ACCOUNTING_YEAR_FIRST_MONTH = first_month

    assert accounting_year(moment) == year


@pytest.mark.django_db
def test_receipts_and_refund_notes_are_numbered_apart_and_anew_each_year() -> None:
    make_receipt()
    make_note()
    make_receipt()
    make_receipt(now=datetime(2027, 4, 1, tzinfo=UTC))

    assert _numbers() == ["R-2026-27-0001", "R-2026-27-0002", "R-2027-28-0001", "RN-2026-27-0001"]


@pytest.mark.django_db
def test_number_of_an_undone_receipt_is_given_to_the_next_one() -> None:
    make_receipt()
    payment = make_captured_payment()
    for _ in range(3):
        with pytest.raises(UndoneError):
            _undone(payment.id)

    make_receipt()

    assert _numbers() == ["R-2026-27-0001", "R-2026-27-0002"]


@pytest.mark.django_db
def test_database_refuses_a_number_given_twice() -> None:
    first = make_receipt()
    ReceiptCounter.objects.update(last=0)

    with pytest.raises(IntegrityError, match="receipt_number_once"), transaction.atomic():
        make_receipt()

    assert _numbers() == [first.number]


@pytest.mark.django_db(transaction=True)
def test_receipts_issued_at_once_have_every_number_once_though_some_are_undone() -> None:
    kept = [make_captured_payment().id for _ in range(9)]
    undone = [make_captured_payment().id for _ in range(4)]
    work = [payment_id for pair in zip(kept, [*undone, *[None] * 5], strict=True) for payment_id in pair if payment_id]
    remaining = list(reversed(work))

    def issue() -> None:
        payment_id = remaining.pop()
        if payment_id in undone:
            with pytest.raises(UndoneError):
                _undone(payment_id)
        else:
            issue_receipt(payment_id=payment_id, recipient=Recipient(), now=NOW)

    with transaction.atomic():
        next_number(kind=ReceiptKind.PAYMENT, year="2026-27")
        threads = start_threads(issue, count=len(work))
        await_waiting(len(work))
        transaction.set_rollback(True)
    for thread in threads:
        thread.result(timeout=20)

    assert _numbers() == [f"R-2026-27-{number:04d}" for number in range(1, 10)]


@pytest.mark.django_db(transaction=True)
def test_receipt_of_one_payment_asked_for_at_once_is_issued_once() -> None:
    payment = make_captured_payment()

    threads = start_threads(lambda: make_receipt(payment=payment).number, count=4)

    assert {thread.result(timeout=20) for thread in threads} == {"R-2026-27-0001"}
    assert _numbers() == ["R-2026-27-0001"]
