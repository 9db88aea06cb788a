"""Follow an appointment through the calendar: each move there gives it another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookings.calendars import background_calendar

if TYPE_CHECKING:
    from bookings.calendars.base import Appointment

LONGEST_TRAIL = 20


def latest_appointment(uid: str) -> Appointment | None:
    """Return what has become of an appointment in the end; None when the calendar does not know it (any more).

    Raises ProviderError when the calendar does not answer.
    """
    appointment = background_calendar().appointment(uid)
    for _ in range(LONGEST_TRAIL):
        if appointment is None or not appointment.moved_to:
            break
        appointment = background_calendar().appointment(appointment.moved_to)
    return appointment
