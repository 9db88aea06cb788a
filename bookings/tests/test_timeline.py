from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bookings.handlers import send_confirmation
from bookings.services.cancellation import cancel_by_client
from bookings.states import BookingState
from bookings.tests.builders import make_payment, make_upcoming
from mindfulqalb.outbox.registry import Delivery
from payments.timeline import timeline

pytestmark = pytest.mark.django_db


def test_timeline_of_a_payment_tells_of_its_session_receipt_and_mails(sandbox: object) -> None:
    payment = make_payment()
    booking, now = make_upcoming(payment=payment), datetime.now(UTC)
    send_confirmation(Delivery(uuid4(), "x", "x:1", {"booking_id": str(booking.id)}, 1, now))
    cancel_by_client(booking_id=booking.id, now=now)

    told = {moment.what for moment in timeline(payment)}

    assert told == {
        "payment.asked",
        "mail confirmation",
        "receipt.issued",
        "mail receipt",
        "booking.cancelled",
        "refund.requested",
    }


def test_timeline_of_a_payment_tells_of_the_hold_that_it_was_made_for() -> None:
    hold = make_upcoming(BookingState.CONFIRMED)
    payment = make_payment(reference=str(hold.id), state="CREATED", provider_payment_id=None)
    cancel_by_client(booking_id=hold.id, now=datetime.now(UTC))

    assert "booking.cancelled" in [moment.what for moment in timeline(payment)]


def test_timeline_of_a_payment_tells_nothing_of_others() -> None:
    cancel_by_client(booking_id=make_upcoming(payment=make_payment()).id, now=datetime.now(UTC))

    assert [moment.what for moment in timeline(make_payment())] == ["payment.asked"]
