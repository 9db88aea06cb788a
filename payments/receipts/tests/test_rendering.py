from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pypdf import PdfReader

from payments.receipts.models import Receipt, ReceiptKind
from payments.receipts.rendering import receipt_pdf, shown
from payments.receipts.services import Recipient
from payments.receipts.tests.builders import PRIYA, make_note, make_receipt
from payments.tests.builders import NOW

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

CODE = '#panic("x") $x$ *b* _i_ \\u{41} #sys.inputs @a <b> "q" // c /* d */ = e\n- f'


def _text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def _fonts(pdf: bytes) -> set[str]:
    found = set()
    for page in PdfReader(io.BytesIO(pdf)).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            found.add(re.sub(r"^/[A-Z]+\+", "", str(font.get_object()["/BaseFont"])))
    return found


def _flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_receipt_shows_who_what_when_and_how_much(settings: Settings) -> None:
    settings.PRACTICE_LEGAL_NAME, settings.PRACTICE_ADDRESS = "Dr. A. Rao", "12 MG Road; Bengaluru"
    settings.PRACTICE_TAX_LINE = "GSTIN 29ABCDE1234F1Z5"
    receipt = make_receipt(recipient=Recipient(name="Jane Doe", item="Individual session"))

    text = _text(receipt_pdf(receipt))

    said = ["Dr. A. Rao", "12 MG Road", "Payment receipt", "R-2026-27-0001", "1 December 2026", "Jane Doe"]
    said += ["Individual session", "INR 1,299.00", str(receipt.payment.provider_payment_id), "GSTIN 29ABCDE1234F1Z5"]
    assert [line for line in said if line not in text] == []


def test_refund_note_shows_its_receipt() -> None:
    receipt = make_receipt()
    note = make_note(
        refund=receipt.payment.refunds.create(
            state="PROCESSED", reason="staff", amount_minor=5, currency="INR", actor="system", requested_at=NOW
        )
    )

    text = _text(receipt_pdf(note))

    assert [line for line in ("Refund note", "RN-2026-27-0001", receipt.number, "INR 0.05") if line not in text] == []


def test_page_and_file_say_the_same() -> None:
    receipt = make_receipt(recipient=Recipient(name="Jane Doe", item="Individual session"))
    page, text = shown(receipt), _flat(_text(receipt_pdf(receipt)))

    values = [page["heading"], page["number"], page["total"], page["footer"], *[v for row in page["rows"] for v in row]]
    assert [value for value in values if _flat(value) not in text] == []


def test_devanagari_name_is_set_in_a_font_that_has_it() -> None:
    assert _fonts(receipt_pdf(make_receipt(recipient=PRIYA))) == {"NotoSansDevanagari-Regular"}


def test_same_receipt_gives_the_same_bytes() -> None:
    receipt = make_receipt()

    again = receipt_pdf(Receipt.objects.get(id=receipt.id))

    assert (receipt_pdf(receipt), again[:5]) == (again, b"%PDF-")


def test_name_is_data_and_never_code() -> None:
    receipt = make_receipt(recipient=Recipient(name=CODE, item=CODE))

    text = _flat(_text(receipt_pdf(receipt)))

    assert text.count(_flat(CODE)) == 2


@hypothesis_settings(max_examples=40, deadline=None)
@given(name=st.text(max_size=80), item=st.text(max_size=80), address=st.lists(st.text(max_size=40), max_size=4))
def test_whatever_a_name_holds_a_receipt_can_be_made(name: str, item: str, address: list[str]) -> None:
    content = {
        "practice": {"name": "P", "address": address, "email": "a@b.example", "tax_line": name, "time_zone": "UTC"},
        "recipient": {"name": name, "item": item, "locale": "en"},
        "gateway": "Razorpay",
        "vendor_id": "pay_1",
        "paid_at": NOW.isoformat(),
        "receipt": "",
    }
    receipt = Receipt(
        kind=ReceiptKind.PAYMENT, year="2026-27", sequence=1, amount_minor=1, currency="INR", issued_at=NOW
    )
    receipt.content = json.dumps(content)

    assert receipt_pdf(receipt)[:5] == b"%PDF-"
