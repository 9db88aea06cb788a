"""What the booking's page in the admin says when the client was not reached."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.urls import reverse

from bookings.letters import confirmation_letter, receipt_letter
from bookings.receipts import write_receipt
from bookings.tests.builders import make_payment, make_upcoming
from mindfulqalb.mail.bounces import record_bounce
from mindfulqalb.mail.services import send_letter
from mindfulqalb.mail.tests.reports import make_report
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from django.test import Client

    from bookings.models import Booking
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

PHONE = "please phone the client"


def _page(client: Client, booking: Booking) -> str:
    return client.get(reverse("admin:bookings_booking_change", args=[booking.pk])).content.decode()


def test_page_says_nothing_while_mails_arrive(admin_client: Client, sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    now = datetime.now(UTC)
    send_letter(letter=confirmation_letter(booking, now=now), key=uuid4(), now=now)

    assert PHONE not in _page(admin_client, booking)


def test_page_asks_to_phone_when_the_confirmation_was_refused(admin_client: Client, sandbox: SandboxProcess) -> None:
    booking, other = make_upcoming(), make_upcoming(hour=15)
    now = datetime.now(UTC)
    sandbox.fault("smtp", "status", status=550)
    with pytest.raises(ProviderError):
        send_letter(letter=confirmation_letter(booking, now=now), key=uuid4(), now=now)

    assert f"(550): {PHONE}" in _page(admin_client, booking)
    assert PHONE not in _page(admin_client, other)


def test_page_asks_to_phone_when_the_receipt_came_back(admin_client: Client, sandbox: SandboxProcess) -> None:
    booking = make_upcoming(payment=make_payment())
    assert booking.payment is not None
    now = datetime.now(UTC)
    receipt = write_receipt(payment_id=booking.payment.id, now=now)
    send_letter(letter=receipt_letter(booking, receipt, now=now), key=receipt.id, now=now)
    record_bounce(raw=make_report(receipt.id), now=now)

    page = _page(admin_client, booking)
    assert (f"(5.1.1): {PHONE}" in page, page.count(PHONE)) == (True, 1)
