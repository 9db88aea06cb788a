"""Show a receipt, on a page and as PDF: the same receipt gives the same bytes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typst
from django.http import HttpResponse
from django.utils import formats, translation
from django.utils.translation import gettext as _

from payments.receipts.models import ReceiptKind

if TYPE_CHECKING:
    from payments.receipts.models import Receipt

HERE = Path(__file__).parent


def shown(receipt: Receipt) -> dict[str, Any]:
    """Put a receipt into words, in its client's language."""
    content = json.loads(receipt.content)
    locale = content["recipient"]["locale"]
    with translation.override(locale):
        is_refund = receipt.kind == ReceiptKind.REFUND
        rows = _refund_rows(receipt, content) if is_refund else _payment_rows(receipt, content)
        return {
            "heading": _("Refund note") if is_refund else _("Payment receipt"),
            "number": receipt.number,
            "language": translation.get_language() or "en",
            "practice": content["practice"],
            "rows": [[label, value] for label, value in rows if value],
            "total_label": _("Paid back") if is_refund else _("Received"),
            "total": str(receipt.amount),
            "footer": _("Made by a computer; valid without a signature."),
        }


def receipt_pdf(receipt: Receipt) -> bytes:
    """Set a receipt as PDF. What clients typed reaches the typesetter as data, and is never read as its language."""
    return typst.compile(
        HERE / "receipt.typ",
        root=HERE,
        font_paths=[HERE / "fonts"],
        ignore_system_fonts=True,
        format="pdf",
        timestamp=int(receipt.issued_at.timestamp()),
        sys_inputs={"shown": json.dumps(shown(receipt))},
    )


def pdf_response(receipt: Receipt) -> HttpResponse:
    """Answer with a receipt's PDF."""
    return HttpResponse(
        receipt_pdf(receipt),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{receipt.number}.pdf"'},
    )


def _payment_rows(receipt: Receipt, content: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (_("Date"), _date(receipt.issued_at, content)),
        (_("Received from"), content["recipient"]["name"]),
        (_("For"), content["recipient"]["item"]),
        (_("Paid on"), _date(datetime.fromisoformat(content["paid_at"]), content)),
        (_("Paid through"), f"{content['gateway']}, {content['vendor_id']}"),
    ]


def _refund_rows(receipt: Receipt, content: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (_("Date"), _date(receipt.issued_at, content)),
        (_("Paid back to"), content["recipient"]["name"]),
        (_("For"), content["recipient"]["item"]),
        (_("Payment receipt"), content["receipt"]),
        (_("Paid back through"), f"{content['gateway']}, {content['vendor_id']}"),
    ]


def _date(moment: datetime, content: dict[str, Any]) -> str:
    local = moment.astimezone(ZoneInfo(content["practice"]["time_zone"]))
    return formats.date_format(local, "j F Y")
