"""A client's receipts: by mail, by link, by API."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pypdf import PdfReader

from bookings.handlers import send_confirmation, send_refunded
from bookings.links import token_of
from bookings.practice_time import local
from bookings.receipts import UnknownReceipt, booking_paid_by, receipt_of, receipts_of, write_receipt, write_refund_note
from bookings.states import BookingState
from bookings.tests.builders import JOHN, NOW, make_payment, make_upcoming, make_wish, next_slot
from bookings.tests.looking import path_of, text_of
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.mail.models import SentMail
from mindfulqalb.outbox.registry import Delivery
from payments.models import Payment, Refund
from payments.receipts.models import Receipt
from payments.receipts.rendering import receipt_pdf

if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient

    from bookings.models import Booking
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db


def _paid(state: BookingState = BookingState.CONFIRMED, **overrides: Any) -> Booking:
    return make_upcoming(state, **({"payment": make_payment()} | overrides))


def _refund(payment: Payment | None, **overrides: Any) -> Refund:
    values: dict[str, Any] = {
        "state": "PROCESSED",
        "reason": "staff",
        "amount_minor": 64950,
        "currency": "INR",
        "actor": "system",
        "requested_at": datetime.now(UTC),
    }
    assert payment is not None
    return payment.refunds.create(**(values | overrides))


def _receipt(booking: Booking) -> Receipt:
    assert booking.payment is not None
    return write_receipt(payment_id=booking.payment.id, now=datetime.now(UTC))


def _note(refund: Refund) -> Receipt:
    return write_refund_note(refund_id=refund.id, now=datetime.now(UTC))


def _deliver(handler: Any, **payload: object) -> None:
    now = datetime.now(UTC)
    handler(Delivery(uuid4(), "x", "x:1", {name: str(value) for name, value in payload.items()}, 1, now))


def _api(api: APIClient, booking: Booking, rest: str = "", **headers: str) -> Any:
    token = token_of(booking, now=datetime.now(UTC))
    path = f"/api/bookings/{BOOKING.encode(booking.id)}{rest}"
    return api.get(path, headers={"Authorization": f"Bearer {token}"} | headers)


# By mail


def test_receipt_follows_the_confirmation_as_pdf(sandbox: SandboxProcess) -> None:
    booking = _paid()

    _deliver(send_confirmation, booking_id=booking.id)

    receipt = Receipt.objects.get()
    confirmation, mail = sandbox.mailbox()
    (attached,) = mail["attachments"]
    assert (confirmation["subject"], mail["subject"]) == (
        "Your appointment is confirmed",
        f"Your receipt {receipt.number}",
    )
    assert (attached["filename"], attached["contentType"]) == (f"{receipt.number}.pdf", "application/pdf")
    assert "₹1,299" in mail["text"]


def test_receipt_is_mailed_once_however_often_the_mail_is_asked_for(sandbox: SandboxProcess) -> None:
    booking = _paid()

    for _ in range(2):
        _deliver(send_confirmation, booking_id=booking.id)

    assert SentMail.objects.filter(template="receipt").count() == 1


def test_receipt_of_a_session_cancelled_before_the_mail_went_is_sent_all_the_same(sandbox: SandboxProcess) -> None:
    booking = _paid(BookingState.CANCELLED)

    _deliver(send_confirmation, booking_id=booking.id)

    assert [mail["subject"] for mail in sandbox.mailbox()] == ["Your receipt " + Receipt.objects.get().number]


def test_free_call_has_no_receipt(sandbox: SandboxProcess) -> None:
    _deliver(send_confirmation, booking_id=make_upcoming().id)

    assert (Receipt.objects.count(), len(sandbox.mailbox())) == (0, 1)


def test_refund_note_goes_with_the_mail_about_the_refund(sandbox: SandboxProcess) -> None:
    booking = _paid(BookingState.CANCELLED)

    _deliver(send_refunded, refund_id=_refund(booking.payment).id)

    (mail,) = sandbox.mailbox()
    assert [part["filename"] for part in mail["attachments"]] == [f"{Receipt.objects.get().number}.pdf"]


def test_refund_of_an_order_paid_twice_is_told_to_whoever_paid(sandbox: SandboxProcess) -> None:
    booking = _paid()
    second = make_payment(duplicate_of=booking.payment, attention="second_capture")

    _deliver(send_refunded, refund_id=_refund(second).id)

    assert [mail["to"] for mail in sandbox.mailbox()] == [["jane@example.com"]]


# Whose they are


def test_booking_paid_by_is_the_newest_that_it_was_spent_on() -> None:
    payment = make_payment()
    make_upcoming(BookingState.REJECTED, payment=payment, created_at=NOW - timedelta(hours=1))
    newest = make_upcoming(payment=payment, hour=12)

    assert booking_paid_by(payment) == newest


def test_booking_paid_by_knows_a_hold_by_its_reference() -> None:
    hold = make_upcoming(BookingState.EXPIRED)

    assert booking_paid_by(make_payment(reference=str(hold.id))) == hold
    assert booking_paid_by(make_payment()) is None


def test_receipts_of_are_the_bookings_own() -> None:
    booking = _paid()
    slot = local(next_slot(13))
    other = _paid(wish=make_wish(customer=JOHN, day=slot.date(), clock=slot.time()))
    receipt, foreign = _receipt(booking), _receipt(other)
    note = _note(_refund(booking.payment))

    assert receipts_of(booking) == [receipt, note]
    assert receipts_of(make_upcoming(hour=15)) == []
    with pytest.raises(UnknownReceipt):
        receipt_of(booking, number=foreign.number)


def test_receipts_of_leave_out_the_note_of_money_that_came_back() -> None:
    booking = _paid()
    refund = _refund(booking.payment)
    _note(refund)
    Refund.objects.update(state="FAILED")

    assert receipts_of(booking) == []


def test_receipt_names_the_client_and_the_session() -> None:
    booking = _paid(customer_name="प्रिया शर्मा")

    receipt = _receipt(booking)

    assert '"name": "प्रिया शर्मा"' in receipt.content
    assert f'"item": "{booking.offer.title}"' in receipt.content


# By link


def test_manage_page_leads_to_receipt_page_and_pdf(browser: Client) -> None:
    booking = _paid()
    receipt = _receipt(booking)
    path = path_of(booking)

    page = text_of(browser.get(path))
    paper = text_of(browser.get(f"{path}/receipts/{receipt.number}"))
    file = browser.get(f"{path}/receipts/{receipt.number}.pdf")

    assert f'href="{path}/receipts/{receipt.number}"' in page
    assert [part for part in (receipt.number, "Jane Doe", "INR 1,299.00") if part not in paper] == []
    assert f'href="{path}/receipts/{receipt.number}.pdf"' in paper
    assert (file["Content-Type"], file.content) == ("application/pdf", receipt_pdf(receipt))
    assert ("no-store" in file["Cache-Control"], receipt.number in file["Content-Disposition"]) == (True, True)


def test_receipt_pages_open_to_nobody_else(browser: Client) -> None:
    receipt = _receipt(_paid())
    stranger = path_of(make_upcoming(hour=14))

    for path in (stranger, "/manage/forged"):
        for rest in (f"/receipts/{receipt.number}", f"/receipts/{receipt.number}.pdf", "/receipts/R-2026-27-9999"):
            assert browser.get(path + rest).status_code == 404


def test_receipt_page_escapes_what_a_client_typed(browser: Client) -> None:
    booking = _paid(customer_name="<script>alert(1)</script>")
    receipt = _receipt(booking)

    page = browser.get(f"{path_of(booking)}/receipts/{receipt.number}").content.decode()

    assert ("<script>alert" in page, "&lt;script&gt;alert(1)&lt;/script&gt;" in page) == (False, True)


# By API


def test_api_lists_receipts_and_hands_them_out(api: APIClient) -> None:
    booking = _paid()
    receipt = _receipt(booking)

    (listed,) = _api(api, booking).json()["receipts"]
    file = _api(api, booking, f"/receipts/{receipt.number}", Accept="application/pdf")

    assert {key: listed[key] for key in ("number", "kind", "amount", "currency")} == {
        "number": receipt.number,
        "kind": "payment",
        "amount": 129900,
        "currency": "INR",
    }
    assert listed["url"].endswith(f"/receipts/{receipt.number}")
    assert (file.status_code, file["Content-Type"]) == (200, "application/pdf")
    assert "INR 1,299.00" in PdfReader(io.BytesIO(file.content)).pages[0].extract_text()


def test_api_refuses_a_receipt_of_somebody_else_in_the_one_shape(api: APIClient) -> None:
    receipt = _receipt(_paid())
    stranger = make_upcoming(hour=14)

    answer = _api(api, stranger, f"/receipts/{receipt.number}", Accept="application/pdf")

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_receipt")
    assert api.get(f"/api/bookings/{BOOKING.encode(stranger.id)}/receipts/{receipt.number}").status_code == 401
