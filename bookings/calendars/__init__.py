"""The calendar in use."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from bookings.calendars.calcom import CalcomCalendar

if TYPE_CHECKING:
    from bookings.calendars.base import Calendar


@cache
def calendar() -> Calendar:
    """Return the calendar, made once per process from the settings."""
    return CalcomCalendar.from_settings()
