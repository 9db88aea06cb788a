"""What beat asks of bookings."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from bookings.ledger_report import close_books
from bookings.listings import refill_listings
from bookings.practice_time import local
from bookings.services.delays import tell_of_delays
from bookings.services.endings import complete_sessions
from bookings.services.holds import expire_holds
from bookings.services.overdue import give_up_overdue, try_dead_again
from bookings.services.reconciliation import look_for_missing, poll_calendar, revisit_conflicts
from bookings.services.reminding import remind_of_sessions
from bookings.services.reporting import request_daily_report
from bookings.services.telling import tell_unplaced
from bookings.services.unplaced import refund_unplaced
from mindfulqalb.catalogue.queries import event_types_on_sale
from mindfulqalb.vendors.errors import ProviderError

logger = logging.getLogger(__name__)


@shared_task(name="bookings.expire_holds")
def expire_holds_task(**kwargs: object) -> None:
    """Let overdue holds go."""
    expire_holds(now=timezone.now())


@shared_task(name="bookings.poll_calendar")
def poll_calendar_task(**kwargs: object) -> None:
    """Take over what has changed in the calendar."""
    try:
        poll_calendar(now=timezone.now())
        revisit_conflicts(now=timezone.now())
    except ProviderError as error:
        logger.warning("the calendar could not be polled: %s", error)


@shared_task(name="bookings.look_for_missing")
def look_for_missing_task(**kwargs: object) -> None:
    """Look whether every session stands in the calendar."""
    try:
        look_for_missing(now=timezone.now())
    except ProviderError as error:
        logger.warning("the calendar could not be compared: %s", error)


@shared_task(name="bookings.complete_sessions")
def complete_sessions_task(**kwargs: object) -> None:
    """Close what is over, and what its time has come for in vain."""
    complete_sessions(now=timezone.now())
    give_up_overdue(now=timezone.now())
    try_dead_again(now=timezone.now())


@shared_task(name="bookings.close_books")
def close_books_task(**kwargs: object) -> None:
    """Add up the books of all time before somebody looks into them."""
    now = timezone.now()
    close_books(day=local(now).date(), now=now)


@shared_task(name="bookings.refund_unplaced")
def refund_unplaced_task(**kwargs: object) -> None:
    """Send back what could not be placed."""
    refund_unplaced(now=timezone.now())


@shared_task(name="bookings.tell_unplaced")
def tell_unplaced_task(**kwargs: object) -> None:
    """Tell those whose money waits."""
    tell_unplaced(now=timezone.now())


@shared_task(name="bookings.report_ledger")
def report_ledger_task(**kwargs: object) -> None:
    """Have yesterday's books sent to whoever keeps them."""
    request_daily_report(now=timezone.now())


@shared_task(name="bookings.refill_listings")
def refill_listings_task(**kwargs: object) -> None:
    """Fetch the free times that people look at before they grow old."""
    refill_listings(*event_types_on_sale(), now=timezone.now())


@shared_task(name="bookings.tell_of_delays")
def tell_of_delays_task(**kwargs: object) -> None:
    """Tell clients who wait for the calendar."""
    tell_of_delays(now=timezone.now())


@shared_task(name="bookings.remind")
def remind_task(**kwargs: object) -> None:
    """Remind clients of their sessions."""
    remind_of_sessions(now=timezone.now())
