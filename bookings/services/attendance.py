"""Tell the calendar who came: the therapist works there, and its figures count what staff have noted here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookings.calendars import background_calendar
from bookings.models import Booking
from bookings.services.trails import latest_appointment
from bookings.states import BookingState

if TYPE_CHECKING:
    from uuid import UUID

ENDED = (BookingState.COMPLETED, BookingState.NO_SHOW)


def tell_attendance(*, booking_id: UUID) -> None:
    """Have the calendar say what we say now, whatever was asked for when; the same twice is written once.

    The attendee is named as the calendar names them: their address here may have been corrected since, or erased.
    Raises ProviderError.
    """
    booking = Booking.objects.get(id=booking_id)
    appointment = latest_appointment(booking.calcom_booking_id or "") if booking.state in ENDED else None
    is_absent = booking.state == BookingState.NO_SHOW
    if appointment is None or appointment.is_over or appointment.is_client_absent == is_absent:
        return
    background_calendar().note_absence(appointment.uid, email=appointment.client_email, is_absent=is_absent)
