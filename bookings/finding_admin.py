"""Calendar findings in the admin: to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.utils.html import format_html

from bookings.calendars import calendar
from bookings.models import CalendarFinding
from mindfulqalb.staff.door import member_of
from mindfulqalb.staff.masking import mask_email, mask_name
from mindfulqalb.staff.reveal import RevealingAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest

    from bookings.models import CalendarFindingQuerySet


@admin.register(CalendarFinding)
class CalendarFindingAdmin(RevealingAdmin):
    """What the calendar and we do not agree on; whose it is stays masked until somebody says why they look."""

    kind = "calendar_finding"
    persons: ClassVar = {"client_name": mask_name, "client_email": mask_email}
    reveal_permission = "bookings.reveal_booking"
    list_display = ("starts_at", "kind", "event_type", "calendar_state", "booking", "found_at", "settled_at")
    list_filter: ClassVar = ["kind", ("settled_at", admin.EmptyFieldListFilter), "starts_at"]
    list_select_related = ("booking",)
    search_fields = ("calendar_uid", "booking__id")
    ordering = ("-found_at",)
    exclude = ("client_name", "client_email")
    readonly_fields = ("in_the_calendar", "person")

    def get_queryset(self, request: HttpRequest) -> CalendarFindingQuerySet:
        """Show what this person may see."""
        return CalendarFinding.objects.visible_to(member_of(request))

    @admin.display(description="In the calendar")
    def in_the_calendar(self, finding: CalendarFinding) -> str:
        """Link to the appointment's page there."""
        return format_html('<a href="{0}" rel="noopener noreferrer">{0}</a>', calendar().page_url(finding.calendar_uid))
