"""Many workers remind at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from bookings.models import Reminder
from bookings.services.reminding import remind_of_sessions
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking
from mindfulqalb.outbox.models import OutboxMessage

WORKERS = 4


@pytest.mark.django_db(transaction=True)
def test_many_workers_remind_once() -> None:
    booking = make_booking(state=BookingState.CONFIRMED, calcom_booking_id="uid1", updated_at=NOW)
    together = Barrier(WORKERS)

    def work() -> int:
        try:
            together.wait(timeout=10)
            return remind_of_sessions(now=booking.starts_at - timedelta(hours=24))
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        counts = [future.result() for future in [pool.submit(work) for _ in range(WORKERS)]]

    assert (sum(counts), Reminder.objects.count()) == (1, 1)
    assert OutboxMessage.objects.filter(topic="email.reminder").count() == 1
