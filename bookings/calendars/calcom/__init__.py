"""Cal.com, API v2. https://cal.com/docs/api-reference/v2/introduction"""

from __future__ import annotations

from bookings.calendars.calcom.client import CalcomCalendar

__all__ = ["CalcomCalendar"]
