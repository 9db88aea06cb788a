"""The shapes of the staff API's bookings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from bookings.states import BookingState
from mindfulqalb.api.fields import PlainText, SessionDate
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.staff.masking import mask_email, mask_name
from mindfulqalb.staff.reveal import read

if TYPE_CHECKING:
    from bookings.models import Booking


class StaffBookingQuerySerializer(serializers.Serializer[object]):
    """Which sessions, in practice-local days, both included."""

    since = SessionDate(required=False, default=None, allow_null=True)
    until = SessionDate(required=False, default=None, allow_null=True)
    state = serializers.ChoiceField(
        choices=[state.lower() for state in BookingState.values], required=False, default=None, allow_null=True
    )
    after = PlainText(max_length=200, required=False, default="", help_text="`next` of the page before.")


class StaffBookingSerializer(serializers.Serializer[object]):
    """One session; its client is masked."""

    bookingId = serializers.CharField()
    state = serializers.CharField()
    sessionType = serializers.CharField()
    format = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    therapist = serializers.CharField()
    client = serializers.CharField(help_text="Initials.")
    email = serializers.CharField(help_text="Masked.")
    moves = serializers.IntegerField(help_text="How often the client has moved it.")


class StaffBookingPageSerializer(serializers.Serializer[object]):
    """Fifty sessions at most."""

    bookings = StaffBookingSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="For `after`; null on the last page.")


def staff_booking(booking: Booking) -> dict[str, Any]:
    """Say of a session what a list of the admin says."""
    return {
        "bookingId": BOOKING.encode(booking.id),
        "state": booking.state.lower(),
        "sessionType": booking.session_type,
        "format": booking.session_format,
        "start": booking.starts_at,
        "end": booking.ends_at,
        "therapist": booking.therapist.name,
        "client": mask_name(read(booking, "customer_name")),
        "email": mask_email(read(booking, "customer_email")),
        "moves": booking.moves,
    }
