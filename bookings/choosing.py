"""Free times as a page offers them: days that are links, and the times of one of them as radio buttons."""

from __future__ import annotations

from datetime import UTC
from itertools import groupby
from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_datetime

from bookings.practice_time import local

if TYPE_CHECKING:
    from datetime import date, datetime

DAYS_SHOWN = 8


def days_to_choose(times: list[datetime], wanted: str) -> dict[str, Any]:
    """Arrange free times by practice-local day: the day that is wanted, else the first, and its neighbors."""
    grouped = groupby((local(instant) for instant in times), lambda time: time.date())
    by_day: dict[date, list[datetime]] = {day: list(found) for day, found in grouped}
    days = list(by_day)
    chosen = next((day for day in days if day.isoformat() == wanted), days[0] if days else None)
    first = days.index(chosen) // DAYS_SHOWN * DAYS_SHOWN if chosen else 0
    return {
        "days": [{"day": day, "count": len(by_day[day])} for day in days[first : first + DAYS_SHOWN]],
        "chosen": chosen,
        "times": by_day[chosen] if chosen else [],
        "earlier": days[first - 1] if first else None,
        "later": days[first + DAYS_SHOWN] if first + DAYS_SHOWN < len(days) else None,
    }


def instant_in(text: str) -> datetime | None:
    """Read the instant that a radio button stands for; None for anything else."""
    try:
        instant = parse_datetime(text)
        return instant.astimezone(UTC) if instant and instant.tzinfo else None
    except (ValueError, OverflowError):
        return None
