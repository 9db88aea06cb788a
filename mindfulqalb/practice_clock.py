"""The practice's clock: the back office tells the time by it, and sessions are offered by it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.conf import settings


def practice_zone() -> ZoneInfo:
    """Where the practice's clock hangs."""
    return ZoneInfo(settings.PRACTICE_TIME_ZONE)
