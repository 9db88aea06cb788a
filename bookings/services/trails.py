"""Follow an appointment through the calendar: each move there gives it another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookings.calendars import background_calendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bookings.calendars.base import Appointment, Calendar

LONGEST_TRAIL = 20


def latest_appointment(uid: str, *, asking: Calendar | None = None) -> Appointment | None:
    """Return what has become of an appointment in the end; None when the calendar does not know it (any more).

    It is the background that asks, unless somebody waits for it. Raises ProviderError when the calendar does not
    answer.
    """
    asked = asking or background_calendar()
    appointment = asked.appointment(uid)
    for _ in range(LONGEST_TRAIL):
        if appointment is None or not appointment.moved_to:
            break
        appointment = asked.appointment(appointment.moved_to)
    return appointment


def earlier_uids(appointment: Appointment) -> Iterator[str]:
    """Name what an appointment was called before it was moved, latest first, asking for one more at each step."""
    uid = appointment.moved_from
    for _ in range(LONGEST_TRAIL):
        if not uid:
            return
        yield uid
        earlier = background_calendar().appointment(uid)
        uid = earlier.moved_from if earlier else ""
