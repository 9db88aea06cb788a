"""What beat asks of bookings."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from bookings.listings import refill_listings
from bookings.services.holds import expire_holds
from bookings.services.reporting import request_daily_report
from bookings.services.unplaced import refund_unplaced
from mindfulqalb.catalogue.queries import event_types_on_sale


@shared_task(name="bookings.expire_holds")
def expire_holds_task(**kwargs: object) -> None:
    """Let overdue holds go."""
    expire_holds(now=timezone.now())


@shared_task(name="bookings.refund_unplaced")
def refund_unplaced_task(**kwargs: object) -> None:
    """Send back what could not be placed."""
    refund_unplaced(now=timezone.now())


@shared_task(name="bookings.report_ledger")
def report_ledger_task(**kwargs: object) -> None:
    """Have yesterday's books sent to whoever keeps them."""
    request_daily_report(now=timezone.now())


@shared_task(name="bookings.refill_listings")
def refill_listings_task(**kwargs: object) -> None:
    """Fetch the free times that people look at before they grow old."""
    refill_listings(*event_types_on_sale(), now=timezone.now())
