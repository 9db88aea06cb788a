"""Whose hand it was in the calendar: it knows only what whoever did it said of themselves."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from bookings.calendars.base import AppointmentState

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.calendars.base import Appointment
    from bookings.models import Booking


class Hand(Enum):
    """Who has changed an appointment, as far as anybody can tell."""

    HOST = "host"
    CLIENT = "client"
    UNKNOWN = "unknown"


def hand_that_ended(appointment: Appointment, booking: Booking) -> Hand:
    """Tell who gave an appointment up. Only hosts can decline one, though not for nothing what somebody has moved."""
    if appointment.state == AppointmentState.DECLINED:
        return hand_that_moved(appointment, booking) if appointment.moved_from else Hand.HOST
    return _hand(appointment.changed_by, appointment, booking)


def hand_that_moved(appointment: Appointment, booking: Booking) -> Hand:
    """Tell who moved an appointment to where it is."""
    return _hand(appointment.moved_by, appointment, booking)


def changed_at(appointment: Appointment, *, now: datetime) -> datetime:
    """Tell when it was changed, by the calendar's clock where that does not run ahead of ours."""
    return min(appointment.updated_at or now, now)


def _hand(email: str, appointment: Appointment, booking: Booking) -> Hand:
    """Nobody's name is nobody's hand: their page asks for none, and takes any that its address bar gives."""
    said = email.casefold()
    if said and said in {host.casefold() for host in appointment.host_emails}:
        return Hand.HOST
    # The calendar keeps the address that the client gave first, also when it is corrected here.
    if said and said in {booking.customer_email.casefold(), appointment.client_email.casefold()}:
        return Hand.CLIENT
    return Hand.UNKNOWN
