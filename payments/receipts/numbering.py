"""Number receipts: one after the other, without a gap, anew in each accounting year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from mindfulqalb.practice_clock import practice_zone
from payments.receipts.models import ReceiptCounter

if TYPE_CHECKING:
    from datetime import datetime

    from payments.receipts.models import ReceiptKind


def accounting_year(moment: datetime) -> str:
    """Name the practice's accounting year: `2026-27` where it begins in April, `2026` where in January."""
    local = moment.astimezone(practice_zone())
    first_month = settings.ACCOUNTING_YEAR_FIRST_MONTH
    begins = local.year if local.month >= first_month else local.year - 1
    return str(begins) if first_month == 1 else f"{begins}-{(begins + 1) % 100:02d}"


def next_number(*, kind: ReceiptKind, year: str) -> int:
    """Take the next number, and hold the series until the transaction ends: undone with it, nothing was taken.

    That is what a sequence of the database cannot do: its numbers stay taken when the transaction is undone.
    """
    ReceiptCounter.objects.bulk_create([ReceiptCounter(kind=kind, year=year)], ignore_conflicts=True)
    counter = ReceiptCounter.objects.select_for_update().get(kind=kind, year=year)
    counter.last += 1
    counter.save(update_fields=["last"])
    return counter.last
