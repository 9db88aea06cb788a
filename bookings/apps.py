"""Sessions from hold to end; orchestrates payments and consent."""

from __future__ import annotations

from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Sessions from hold to end; orchestrates payments and consent."""

    name = "bookings"
