"""Bookings in the admin: to read; states are moved by services."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from bookings.models import Booking
from mindfulqalb.staff.read_only import ReadOnlyAdmin


@admin.register(Booking)
class BookingAdmin(ReadOnlyAdmin):
    """Every session, by time; persons stay sealed."""

    list_display = ("starts_at", "session_type", "session_format", "state", "payment_status", "therapist")
    list_filter: ClassVar = ["state", "session_type", "session_format", "therapist", "starts_at"]
    list_select_related = ("therapist",)
    search_fields = ("id", "calcom_booking_id", "payment__provider_payment_id")
    ordering = ("-starts_at",)
    exclude = ("customer_name", "customer_email", "customer_phone", "customer_email_hash", "held_from")
    show_full_result_count = False
