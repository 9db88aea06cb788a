"""Calendar findings in the admin: what does not agree, what lies in the way, and one click to put it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from bookings.calendars import calendar
from bookings.models import Booking, CalendarFinding, FindingKind
from bookings.practice_time import local
from bookings.services.settling import answer_for_practice, request_put_back, settle_by_hand
from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.staff.confirmation import Question
from mindfulqalb.staff.door import member_of
from mindfulqalb.staff.masking import mask_email, mask_name
from mindfulqalb.staff.reveal import RevealingAdmin
from mindfulqalb.staff.values import whether

if TYPE_CHECKING:
    from django.http import HttpRequest

    from bookings.models import CalendarFindingQuerySet

LINE_BREAK = SafeString("<br>")
SettledFilter = whether("what is done", empty="Open", filled="Settled")
CALENDAR_STATES = {
    "accepted": "Confirmed",
    "pending": "Waits for the therapist",
    "cancelled": "Cancelled",
    "declined": "Declined",
}


def _what_moves(finding: CalendarFinding) -> str:
    here = f"{local(finding.booking.starts_at):%A %d %B, %H:%M}" if finding.booking else "nowhere"
    return f"{local(finding.starts_at):%A %d %B, %H:%M} in the calendar goes back to {here}"


PUT_BACK = Question(
    title="Put back in the calendar",
    text="Our time counts: the calendar moves these appointments back to it, and tells whom it tells of moves:",
    yes="Yes, put back",
    line=_what_moves,
)


SETTLE = Question(
    title="Settle by hand",
    text="You have cleared these up with the therapist and the client; nothing is changed by this, here or there:",
    yes="Yes, settled",
)


GIVE_THE_REST = Question(
    title="It was the practice: give the rest",
    text="The practice gave these up or moved them, not the client. What the rules have kept goes back, or "
    "where nothing has gone back yet, the client chooses another time or all of the money:",
    yes="Yes, give the rest",
    line=str,
)


@admin.register(CalendarFinding)
class CalendarFindingAdmin(RevealingAdmin):
    """What the calendar and we do not agree on; whose it is stays masked until somebody says why they look."""

    kind = "calendar_finding"
    persons: ClassVar = {"client_name": mask_name, "client_email": mask_email}
    reveal_permission = "bookings.reveal_booking"
    list_display = ("starts_at", "kind", "stands", "booking", "found_at", "settled_at")
    list_filter: ClassVar = ["kind", ("settled_at", SettledFilter), "starts_at"]
    list_select_related = ("booking",)
    search_fields = ("calendar_uid", "booking__id")
    ordering = ("-found_at",)
    exclude = ("client_name", "client_email")
    readonly_fields = ("in_the_calendar", "in_the_way", "person")
    actions = ("put_back", "give_the_rest", "settle_by_hand")

    def get_queryset(self, request: HttpRequest) -> CalendarFindingQuerySet:
        """Show what this person may see."""
        return CalendarFinding.objects.visible_to(member_of(request))

    @admin.display(description="there")
    def stands(self, finding: CalendarFinding) -> str:
        """Say how the appointment stands in the calendar."""
        return CALENDAR_STATES.get(finding.calendar_state, finding.calendar_state)

    @admin.display(description="In the calendar")
    def in_the_calendar(self, finding: CalendarFinding) -> str:
        """Link to the appointment's page there."""
        return format_html('<a href="{0}" rel="noopener noreferrer">{0}</a>', calendar().page_url(finding.calendar_uid))

    @admin.display(description="In its way")
    def in_the_way(self, finding: CalendarFinding) -> str:
        """Name our own sessions where the calendar has put this one: moved or cancelled, it is followed by itself."""
        return format_html_join(LINE_BREAK, '<a href="{}">{}</a>', map(_linked, _blocking(finding))) or "Nothing"

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Whether this person may decide which time counts: whoever may give sessions up."""
        return request.user.has_perm("bookings.cancel_booking")

    put_back = RowAction(
        label="Put back in the calendar to our time",
        done="Being put back",
        permissions=["settle"],
        question=PUT_BACK,
        related=["booking"],
        act=lambda row, told: request_put_back(finding_id=row.id, actor=told.actor, now=told.now),
    )
    give_the_rest = RowAction(
        label="It was the practice: give the rest",
        done="Given",
        permissions=["settle"],
        question=GIVE_THE_REST,
        act=lambda row, told: answer_for_practice(finding_id=row.id, actor=told.actor, now=told.now),
    )
    settle_by_hand = RowAction(
        label="Settle by hand",
        done="Settled",
        permissions=["settle"],
        question=SETTLE,
        act=lambda row, told: settle_by_hand(finding_id=row.id, actor=told.actor, now=told.now),
    )


def _blocking(finding: CalendarFinding) -> list[Booking]:
    booking = finding.booking
    if booking is None or finding.kind != FindingKind.CONFLICT:
        return []
    ends_at = finding.starts_at + (booking.ends_at - booking.starts_at)
    others = Booking.objects.occupying().exclude(id=booking.id).filter(therapist_id=booking.therapist_id)
    there = others.filter(starts_at__lt=ends_at, ends_at__gt=finding.starts_at)
    return list(there.select_related("offer").order_by("starts_at"))


def _linked(booking: Booking) -> tuple[str, str]:
    page = reverse("admin:bookings_booking_change", args=[booking.pk])
    return (
        page,
        f"{local(booking.starts_at):%A %d %B, %H:%M}: {booking.offer.title}, {booking.get_state_display().lower()}",
    )
