"""Between the practice's clock on the wall and instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


def practice_zone() -> ZoneInfo:
    """Where the practice's clock hangs."""
    return ZoneInfo(settings.PRACTICE_TIME_ZONE)


def instant_of(day: date, clock: time) -> datetime:
    """The instant of a practice-local day and time, in UTC."""
    return datetime.combine(day, clock, tzinfo=practice_zone()).astimezone(UTC)


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """The first instant of a practice-local day, and of the next one."""
    return instant_of(day, time.min), instant_of(day + timedelta(days=1), time.min)


def local(instant: datetime) -> datetime:
    """An instant on the practice's clock."""
    return instant.astimezone(practice_zone())


def clock_text(instant: datetime) -> str:
    """The specification's way to write a time of day: `10:00 AM`, `2:00 PM`."""
    return f"{local(instant):%I:%M %p}".lstrip("0")
