"""The .ics file of a session."""

from __future__ import annotations

from email.utils import parseaddr
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from bookings.states import BookingState
from mindfulqalb.languages.choice import supported_language

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.models import Booking

STATUS = {
    BookingState.HELD: "TENTATIVE",
    BookingState.PENDING: "TENTATIVE",
    BookingState.CONFIRMED: "CONFIRMED",
    BookingState.COMPLETED: "CONFIRMED",
    BookingState.NO_SHOW: "CONFIRMED",
    BookingState.REJECTED: "CANCELLED",
    BookingState.EXPIRED: "CANCELLED",
    BookingState.CANCELLED: "CANCELLED",
}


def calendar_file(booking: Booking, *, now: datetime) -> str:
    """Write an RFC 5545 file with a UID that stays the same for the booking's life.

    Colleagues and families see each other's calendars: it says nothing clinical and no link in it opens the booking.
    """
    event = Event()
    event.add("uid", f"{booking.id}@{parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition('@')[2]}")
    event.add("sequence", booking.sequence + (booking.state == BookingState.CANCELLED))
    event.add("dtstamp", now)
    event.add("dtstart", booking.starts_at)
    event.add("dtend", booking.ends_at)
    with translation.override(supported_language(booking.locale)):
        event.add("summary", _("Appointment with %(practice)s") % {"practice": settings.PRACTICE_NAME})
        event.add("description", _("The link to the session is in your email."))
    event.add("status", STATUS[BookingState(booking.state)])
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.PRACTICE_NAME}//booking//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if booking.state == BookingState.CANCELLED else "PUBLISH")
    calendar.add_component(event)
    text: str = calendar.to_ical().decode()
    return text
