"""Who waits for the calendar is told so, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from bookings.handlers import send_pending
from bookings.models import Booking
from bookings.services.delays import tell_of_delays
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_payment, make_wish
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import Delivery

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=1)


def _waiting() -> Booking:
    return make_booking(state=BookingState.PENDING, payment=make_payment(), updated_at=NOW)


def _send(booking: Booking) -> None:
    payload = {"booking_id": str(booking.id)}
    send_pending(Delivery(uuid4(), "email.pending", f"{booking.lane}:news", payload, 1, LATER))


def test_delay_is_told_once_after_a_minute(sandbox: SandboxProcess) -> None:
    booking = _waiting()

    counts = [tell_of_delays(now=NOW + timedelta(seconds=seconds)) for seconds in (59, 60, 80)]
    _send(booking)

    assert (counts, OutboxMessage.objects.get().topic) == ([0, 1, 0], "email.pending")
    assert [mail["subject"] for mail in sandbox.mailbox()] == ["We have received your payment"]


@pytest.mark.parametrize("locale", ["en", "hi"])
def test_delay_of_a_free_call_is_told_without_a_word_of_money(sandbox: SandboxProcess, locale: str) -> None:
    wish = make_wish(session_type="free", session_format=None)
    booking = make_booking(wish=wish, state=BookingState.PENDING, updated_at=NOW, locale=locale)

    assert tell_of_delays(now=LATER) == 1
    _send(booking)

    (mail,) = sandbox.mailbox()
    said = {"en": "Your appointment is being written into the calendar", "hi": "आपका अपॉइंटमेंट कैलेंडर में दर्ज"}
    assert (said[locale] in mail["subject"], "pay" in mail["text"], "भुगतान" in mail["text"]) == (True, False, False)


@pytest.mark.parametrize("state", sorted(set(BookingState) - {BookingState.PENDING}))
def test_delay_that_is_over_is_not_told(sandbox: SandboxProcess, state: BookingState) -> None:
    booking = _waiting()
    Booking.objects.update(state=state, calcom_booking_id="uid1", hold_expires_at=LATER)

    _send(booking)

    assert (tell_of_delays(now=LATER), sandbox.mailbox()) == (0, [])
