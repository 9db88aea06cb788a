from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from celery.schedules import crontab
from django.conf import settings

from bookings.listings import listing_of
from bookings.models import Booking
from bookings.states import BookingState
from bookings.tasks import (
    complete_sessions_task,
    expire_holds_task,
    look_for_missing_task,
    poll_calendar_task,
    refill_listings_task,
    refund_unplaced_task,
    remind_task,
    report_ledger_task,
    tell_of_delays_task,
)
from bookings.tests.builders import make_catalogue, make_payment, make_upcoming
from mindfulqalb.celery import app
from mindfulqalb.outbox.models import OutboxMessage
from payments.models import Refund

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db


def test_expire_holds_task_lets_overdue_holds_go_by_the_real_clock() -> None:
    now = datetime.now(UTC)
    overdue = make_upcoming(BookingState.HELD, hold_expires_at=now - timedelta(seconds=1))
    live = make_upcoming(BookingState.HELD, hour=12, hold_expires_at=now + timedelta(minutes=5))

    for _ in range(2):
        expire_holds_task()

    assert {row.id: row.state for row in Booking.objects.all()} == {
        overdue.id: BookingState.EXPIRED,
        live.id: BookingState.HELD,
    }


def test_refund_unplaced_task_sends_money_back_once() -> None:
    credit = timedelta(hours=settings.PAYMENT_CREDIT_HOURS)
    payment = make_payment(captured_at=datetime.now(UTC) - credit - timedelta(seconds=1))
    make_payment(captured_at=datetime.now(UTC) - credit + timedelta(minutes=5))

    for _ in range(2):
        refund_unplaced_task()

    assert [(refund.payment, refund.amount_minor) for refund in Refund.objects.all()] == [(payment, 129900)]
    assert list(OutboxMessage.objects.values_list("topic", flat=True)) == ["refund.send"]


@pytest.mark.parametrize(
    "task",
    [
        *(expire_holds_task, refund_unplaced_task, refill_listings_task),
        *(complete_sessions_task, look_for_missing_task, poll_calendar_task, report_ledger_task),
        *(remind_task, tell_of_delays_task),
    ],
)
def test_tasks_take_what_beat_may_send_along(task: object, sandbox: SandboxProcess) -> None:
    assert callable(task)

    assert task(whatever=1) is None


def test_beat_asks_for_every_task_of_ours() -> None:
    app.loader.import_default_modules()
    ours = {name for name in app.tasks if name.startswith("bookings.")}

    asked = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert (sorted(ours), ours - asked) == (
        [
            *("bookings.close_books", "bookings.complete_sessions", "bookings.expire_holds"),
            *("bookings.look_for_missing", "bookings.poll_calendar", "bookings.refill_listings"),
            "bookings.refund_unplaced",
            *("bookings.remind", "bookings.report_ledger", "bookings.tell_of_delays", "bookings.tell_unplaced"),
        ],
        set(),
    )


def test_what_beat_sends_every_so_often_runs_out_before_the_next_comes() -> None:
    entries = [entry for entry in app.conf.beat_schedule.values() if not isinstance(entry["schedule"], crontab)]

    assert [entry["options"] for entry in entries] == [{"expires": entry["schedule"]} for entry in entries]


def test_refill_listings_task_fetches_what_somebody_looked_at(
    sandbox: SandboxProcess, now: datetime, settings: Settings
) -> None:
    make_catalogue()
    settings.AVAILABILITY_REFILL_SECONDS = settings.AVAILABILITY_FRESH_SECONDS
    listing_of(event_type="103", now=now)

    refill_listings_task()

    assert sandbox.calls("calcom.slots.list") == 2


def test_report_ledger_task_asks_for_yesterdays_books_once() -> None:
    for _ in range(2):
        report_ledger_task()

    assert list(OutboxMessage.objects.values_list("topic", flat=True)) == ["email.ledger"]
