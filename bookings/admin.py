"""Bookings in the admin: to read, and to cancel; states are moved by services alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.utils import timezone

from bookings.finding_admin import CalendarFindingAdmin
from bookings.ledger_admin import LedgerEntryAdmin
from bookings.list_filters import DayFilter, TypeFilter
from bookings.models import Booking
from bookings.move_admin import MovePage
from bookings.practice_time import local
from bookings.reminder_admin import ReminderAdmin
from bookings.services.cancellation import cancel_by_client, cancel_by_practice, quote_cancellation
from bookings.services.confirming import confirm_again
from bookings.services.endings import note_absence, note_attendance
from bookings.states import PAID
from bookings.story import story_of
from bookings.undelivered import undelivered_mails
from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.catalogue.words import type_in_words
from mindfulqalb.staff.confirmation import Question
from mindfulqalb.staff.door import member_of
from mindfulqalb.staff.finding import EMAIL_PHONE_OR_ID, ClientFilter, FindsPersons
from mindfulqalb.staff.masking import mask_email, mask_name, mask_phone
from mindfulqalb.staff.reveal import RevealingAdmin, read
from mindfulqalb.staff.stories import written
from payments.queries import refundable

if TYPE_CHECKING:
    from django.http import HttpRequest

    from bookings.models import BookingQuerySet

__all__ = ["BookingAdmin", "CalendarFindingAdmin", "LedgerEntryAdmin", "ReminderAdmin"]

SEALED = (
    *("customer_name", "customer_email", "customer_phone"),
    *("customer_email_hash", "customer_phone_hash", "held_from"),
)
LINKED = {"consent": "consent.view_consentrecord", "payment": "payments.view_payment"}


def _named(booking: Booking) -> str:
    return (
        f"{local(booking.starts_at):%A %d %B %Y, %H:%M}: {booking.offer.title}, {booking.get_state_display().lower()}"
    )


def _quoted(booking: Booking) -> str:
    """Say what the policy gives back now."""
    quote = quote_cancellation(booking, now=timezone.now())
    return f"{_named(booking)}; " + (
        f"{quote.refund} goes back ({quote.percent} %)" if quote.refund else "nothing was paid"
    )


def _credited(booking: Booking) -> str:
    """Say what the client may spend again or have back."""
    left = refundable(booking.payment) if booking.payment else None
    money = f"{left} is theirs" if left else "nothing was paid"
    return f"{_named(booking)}; {money}"


CANCEL = Question(
    title="Cancel for the practice",
    text="The clients are told, the calendar is cleared, and they choose another time or get all of their money back:",
    yes="Yes, cancel",
    line=_credited,
)
WISHED = Question(
    title="Cancel because the client asks",
    text="The clients get a mail, the calendar is cleared, and the cancellation rules decide what goes back:",
    yes="Yes, cancel",
    line=_quoted,
)


AGAIN = Question(
    title="Confirm again",
    text="The calendar is asked at once for what it has not confirmed; where it has, the client gets the mail again:",
    yes="Yes, confirm again",
    line=_named,
)
MISSED = Question(
    title="Client did not come",
    text="These are marked as missed; no money goes back by this:",
    yes="Yes, they were missed",
    line=_named,
)
ATTENDED = Question(
    title="Client did come",
    text="These are marked as having taken place:",
    yes="Yes, they took place",
    line=_named,
)


@admin.register(Booking)
class BookingAdmin(MovePage, FindsPersons, RevealingAdmin):
    """Every session, by time; persons stay masked until somebody says why they look."""

    kind = "booking"
    persons: ClassVar = {"customer_name": mask_name, "customer_email": mask_email, "customer_phone": mask_phone}
    reveal_permission = "bookings.reveal_booking"
    digest_field = "customer_email_hash"
    phone_digest_field = "customer_phone_hash"
    findable = EMAIL_PHONE_OR_ID
    search_fields = ("id", "calcom_booking_id", "payment_id")
    list_display = ("starts_at", "client", "who_comes", "session_format", "state", "paid", "therapist")
    list_filter: ClassVar = [DayFilter, "state", TypeFilter, "therapist", ClientFilter]
    list_select_related = ("therapist",)
    readonly_fields = ("person", "paid", "undelivered_mails", "story")
    shown_first = (
        *("person", "starts_at", "ends_at", "another_time", "offer", "therapist", "state"),
        *("payment", "paid", "consent", "undelivered_mails", "story"),
    )
    ordering = ("-starts_at",)
    actions = ("confirm_again", "cancel_for_client", "cancel_for_practice", "note_absence", "note_attendance")

    def get_queryset(self, request: HttpRequest) -> BookingQuerySet:
        """Show what this person may see, in every list, search, link and action; the hold of a move is no session."""
        return Booking.objects.visible_to(member_of(request)).filter(held_for=None)

    def get_exclude(self, request: HttpRequest, obj: Booking | None = None) -> list[str]:
        """Leave out sealed fields, and links to where this person may not go."""
        return [*SEALED, *(name for name, permission in LINKED.items() if not request.user.has_perm(permission))]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Offer the choice of therapist to those who see more than one."""
        sees_all = request.user.has_perm("catalogue.see_every_therapist")
        return [name for name in self.list_filter if sees_all or name != "therapist"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Note on a session whether its story may speak of money."""
        booking = super().get_object(request, object_id, from_field)
        if booking is not None:
            booking.speaks_of_money = request.user.has_perm("payments.view_payment")
        return booking

    @admin.display(description="story")
    def story(self, booking: Any) -> str:
        """Tell all that happened to it, on the practice's clock."""
        return written(story_of(booking, with_money=getattr(booking, "speaks_of_money", False)))

    @admin.display(description="client")
    def client(self, booking: Booking) -> str:
        """Show enough to tell two clients apart."""
        return " ".join(
            filter(None, [mask_name(read(booking, "customer_name")), mask_email(read(booking, "customer_email"))])
        )

    @admin.display(description="session type")
    def who_comes(self, booking: Booking) -> str:
        """Say who comes."""
        return type_in_words(booking.session_type)

    @admin.display(description="payment")
    def paid(self, booking: Booking) -> str:
        """Say whether it is paid."""
        return PAID.get(booking.payment_status or "", booking.payment_status or "")

    @admin.display(description="Mails that did not arrive")
    def undelivered_mails(self, booking: Booking) -> str:
        """Say what the client has not been told, so that somebody phones."""
        return undelivered_mails(booking)

    def get_readonly_fields(self, request: HttpRequest, obj: Booking | None = None) -> tuple[str, ...]:
        """Show the way to another time to those who may choose one."""
        shown = ("another_time",) if self.has_move_permission(request) else ()
        return (*shown, *self.readonly_fields)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether this person may cancel other people's sessions."""
        return request.user.has_perm("bookings.cancel_booking")

    def has_attendance_permission(self, request: HttpRequest) -> bool:
        """Whether this person may say who came."""
        return request.user.has_perm("bookings.note_attendance")

    confirm_again = RowAction(
        label="Confirm again",
        done="Confirmed again",
        permissions=["move"],
        question=AGAIN,
        related=["offer"],
        act=lambda row, told: confirm_again(booking_id=row.id, actor=told.actor, now=told.now),
    )
    cancel_for_client = RowAction(
        label="Cancel because the client asks",
        done="Sessions cancelled for the client",
        permissions=["cancel"],
        question=WISHED,
        related=["offer", "payment"],
        act=lambda row, told: cancel_by_client(booking_id=row.id, actor=told.actor, now=told.now),
    )
    cancel_for_practice = RowAction(
        label="Cancel for the practice",
        done="Sessions cancelled",
        permissions=["cancel"],
        question=CANCEL,
        related=["offer", "payment"],
        act=lambda row, told: cancel_by_practice(booking_id=row.id, actor=told.actor, now=told.now),
    )
    note_absence = RowAction(
        label="Client did not come",
        done="Marked as missed",
        permissions=["attendance"],
        question=MISSED,
        related=["offer"],
        act=lambda row, told: note_absence(booking_id=row.id, actor=told.actor, now=told.now),
    )
    note_attendance = RowAction(
        label="Client did come (take it back)",
        done="Marked as held",
        permissions=["attendance"],
        question=ATTENDED,
        related=["offer"],
        act=lambda row, told: note_attendance(booking_id=row.id, actor=told.actor, now=told.now),
    )
