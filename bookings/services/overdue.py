"""Sessions whose time comes while the calendar has still not taken them: their money must not stay with them."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from bookings.calendars import background_calendar
from bookings.models import Booking
from bookings.services.placement import LOOK_AGAIN, appointment_request, reject, take_note
from bookings.states import BookingState
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.outbox.services import revive
from mindfulqalb.outbox.states import State
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime

logger = logging.getLogger(__name__)

# For so long after its start it is worth waiting for a calendar that may have it, and cannot be asked.
SILENT_AT_MOST = timedelta(days=1)
TRIED_AGAIN_AFTER = timedelta(hours=1)


def give_up_overdue(*, now: datetime, limit: int = 100) -> int:
    """Reject what the calendar never took before its time came, and return how many.

    Where it was asked to, and nobody knows what it did, it is asked first: what stands there has its session.
    """
    overdue = Booking.objects.filter(state=BookingState.PENDING, starts_at__lte=now).select_related("offer")
    return sum(_give_up(booking, now) for booking in overdue.order_by("starts_at")[:limit])


def try_dead_again(*, now: datetime) -> int:
    """Try once an hour what was given up, as long as its time is still to come: somebody may have mended the key."""
    ahead = Booking.objects.filter(state=BookingState.PENDING, starts_at__gt=now)
    dead = OutboxMessage.objects.filter(
        topic="calendar.create",
        state=State.DEAD,
        finished_at__lte=now - TRIED_AGAIN_AFTER,
        lane__in=[booking.lane for booking in ahead.only("id")],
    )
    return revive(message_ids=dead.values_list("id", flat=True), actor="system", now=now)


def _give_up(booking: Booking, now: datetime) -> bool:
    asked_at = booking.calendar_asked_at
    if asked_at is not None and _may_stand_there(booking, asked_at, now):
        return False
    with transaction.atomic():
        locked = Booking.objects.locked(booking.id)
        # Whoever has asked since then writes down what comes of it.
        if locked.state != BookingState.PENDING or locked.calendar_asked_at != asked_at:
            return False
        reject(locked, "system", now)
    return True


def _may_stand_there(booking: Booking, asked_at: datetime, now: datetime) -> bool:
    """Look for what an unanswered call has written, and take note of it."""
    if now - asked_at < 2 * LOOK_AGAIN:
        return True
    try:
        found = background_calendar().find(appointment_request(booking))
        if found is not None:
            take_note(booking, found)
    except RetryLater:
        return True
    except ProviderError as error:
        logger.warning("nobody can say whether booking %s stands in the calendar: %s", booking.id, error)
        return now - booking.starts_at < SILENT_AT_MOST
    return found is not None
