"""What beat asks of payments."""

from __future__ import annotations

import logging
from itertools import chain
from typing import TYPE_CHECKING

from celery import shared_task
from django.utils import timezone

from payments.reconciliation import payments_to_ask_about, recent_captures, refresh_disputes, refresh_payments

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)


@shared_task(name="payments.reconcile")
def reconcile_task(**kwargs: object) -> None:
    """Ask for the money, and for the disputes, that no webhook told us of."""
    now = timezone.now()
    _go_through(chain(refresh_payments(payments_to_ask_about(now=now), now=now), refresh_disputes(now=now)))


@shared_task(name="payments.compare_books")
def compare_books_task(**kwargs: object) -> None:
    """Ask again about all recent money, for what was done by hand at the gateways and never told."""
    now = timezone.now()
    _go_through(refresh_payments(recent_captures(now=now), now=now))


def _go_through(refreshed: Iterable[object]) -> None:
    outcomes = [each is None for each in refreshed]
    if failed := sum(outcomes):
        logger.warning("%d of %d could not be asked about at the gateways", failed, len(outcomes))
