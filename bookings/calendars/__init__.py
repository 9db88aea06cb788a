"""The calendar in use."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from bookings.calendars.calcom import CalcomCalendar

if TYPE_CHECKING:
    from bookings.calendars.base import Calendar


@cache
def calendar() -> Calendar:
    """Return the calendar for work that somebody waits for, made once per process from the settings."""
    return CalcomCalendar.from_settings()


@cache
def background_calendar() -> Calendar:
    """Return the same calendar for work that can come back: when calls run short, it is refused first.

    Booking and cancelling have no such share: whoever does either does it for a client.
    """
    return CalcomCalendar.from_settings(in_background=True)
