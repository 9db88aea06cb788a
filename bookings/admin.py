"""Bookings in the admin: to read, and to cancel; states are moved by services alone."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.utils import timezone

from bookings.ledger_admin import LedgerEntryAdmin
from bookings.models import Booking
from bookings.practice_time import local
from bookings.services.cancellation import cancel_by_practice
from mindfulqalb.staff.confirmation import Question, act_on_each, ask_first
from mindfulqalb.staff.read_only import ReadOnlyAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.template.response import TemplateResponse

__all__ = ["BookingAdmin", "LedgerEntryAdmin"]

CANCEL = Question(
    action="cancel_for_practice",
    title="Cancel for the practice",
    text="The clients are told, the calendar is cleared, and they choose another time or get all of their money back:",
    yes="Yes, cancel",
    line=lambda booking: (
        f"{local(booking.starts_at):%A %d %B %Y, %H:%M}: {booking.offer.title}, {booking.state.lower()}"
    ),
)


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
    actions = ("cancel_for_practice",)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether this person may cancel other people's sessions."""
        return request.user.has_perm("bookings.cancel_booking")

    @admin.action(description="Cancel for the practice", permissions=["cancel"])
    def cancel_for_practice(self, request: HttpRequest, rows: QuerySet[Booking]) -> TemplateResponse | None:
        """Cancel the chosen sessions after a question."""
        page = ask_first(self, request, rows.select_related("offer"), CANCEL)
        if page is None:
            act_on_each(self, request, rows, partial(_cancel, f"staff:{request.user.pk}"), done="Sessions cancelled")
        return page


def _cancel(actor: str, booking: Booking) -> None:
    cancel_by_practice(booking_id=booking.id, actor=actor, now=timezone.now())
