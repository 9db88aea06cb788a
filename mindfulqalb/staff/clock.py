"""The practice's clock, by which the back office tells the time."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings


def practice_zone() -> ZoneInfo:
    """Where the practice's clock hangs."""
    return ZoneInfo(settings.PRACTICE_TIME_ZONE)
