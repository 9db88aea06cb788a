"""Whether the calendar and we still hear each other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from bookings.models import CalendarCursor, CalendarFinding, FindingKind
from bookings.services.reconciliation import FIRST_LOOK
from bookings.states import BookingState
from mindfulqalb.observability.health import Broken, Check, in_own_connection

if TYPE_CHECKING:
    from datetime import datetime

# The poll comes every minute.
SILENT_FOR = timedelta(minutes=10)


def ask_agreement(now: datetime) -> None:
    """Raise Broken when the calendar has not been heard for long, or when a session stands on one side only."""
    cursor = CalendarCursor.objects.filter(name=CalendarCursor.CHANGES).first()
    # Until it is heard for the first time: since it was first asked.
    heard = (cursor.asked_at or cursor.changed_until + FIRST_LOOK) if cursor else now
    if now - heard > SILENT_FOR:
        raise Broken(f"The calendar has not been heard for {(now - heard).total_seconds():.0f} s.")
    serious = (FindingKind.MISSING, FindingKind.CONFLICT)
    open_ones = CalendarFinding.objects.filter(kind__in=serious, settled_at=None, booking__state=BookingState.CONFIRMED)
    if found := open_ones.count():
        raise Broken(f"{found} sessions to come stand on one side only: see Calendar findings.")


def _probe() -> None:
    in_own_connection(lambda: ask_agreement(timezone.now()))


AGREEMENT = Check("calendar", _probe, "Sessions may stand at times that the other side does not know.")
