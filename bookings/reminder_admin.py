"""Reminders in the admin: which were put down, for which session, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin

from bookings.models import Reminder
from mindfulqalb.staff.read_only import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Reminder)
class ReminderAdmin(ReadOnlyAdmin):
    """One row per session and hour; one that came too late, or was not wanted any more, was put down and not sent."""

    list_display = ("created_at", "kind", "session_starts_at", "booking")
    list_filter: ClassVar = ["kind"]
    list_select_related = ("booking",)
    search_fields = ("booking__id",)
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reminder]:
        """Leave the clients sealed: only when it is about is shown."""
        return Reminder.objects.defer("booking__customer_name", "booking__customer_email", "booking__customer_phone")
