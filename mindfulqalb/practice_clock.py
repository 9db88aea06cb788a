"""The practice's clock: the back office tells the time by it, and sessions are offered by it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings

# Nearer to the ends of the calendar, a day in one zone is a day that no other can name.
NAMEABLE_YEARS = range(1900, 3000)


def practice_zone() -> ZoneInfo:
    """Where the practice's clock hangs."""
    return ZoneInfo(settings.PRACTICE_TIME_ZONE)
