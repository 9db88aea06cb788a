"""Bookings: a client's claim on an hour, from the hold to the end of the session."""

from __future__ import annotations

import re
import unicodedata
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import GreaterThan

from bookings.practice_time import local
from bookings.spans import BUFFER, OCCUPIED_SPAN
from bookings.states import (
    ALLOWED,
    GIVES_PAYMENT_BACK,
    OCCUPYING,
    OPEN,
    SETTLED,
    UNBOOKED,
    BookingState,
    ImpossibleMove,
    ReminderKind,
)
from mindfulqalb.catalogue.models import SessionFormat, Therapist
from mindfulqalb.catalogue.queries import event_types_of
from mindfulqalb.catalogue.words import type_in_words
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.encryption.fields import EncryptedTextField
from payments.models import Payment

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.staff.models import StaffMember


# A path, a scheme, a mailbox or a domain; the dot of "J.R." or of "Dr. Asha" makes none.
ADDRESS_IN_NAME = re.compile(r"[/\\:@]|\S[.\u3002](?:[^\W\d_]{2,}|\d)")


def _local_time(moment: datetime) -> str:
    return f"{local(moment):%a %d %b %Y, %H:%M}"


NAMED = ~Q(customer_email_hash="")
# A hold that was given up, or a session that was before anybody heard of it.
LET_GO = Q(state=BookingState.CANCELLED, payment=None, calcom_booking_id=None, calendar_asked_at=None)
# For retention, and for the indexes by which its purge finds and counts them.
CAME_TO_SOMETHING = Q(state__in=SETTLED) & ~LET_GO & NAMED
CAME_TO_NOTHING = (Q(state__in=UNBOOKED) | LET_GO) & NAMED


class BookingQuerySet(models.QuerySet["Booking"]):
    """Bookings, and the one way to hold one."""

    def locked(self, booking_id: uuid.UUID) -> Booking:
        """Re-read a booking under its row lock; needs an open transaction."""
        return self.select_for_update(of=("self",)).get(id=booking_id)

    def occupying(self) -> BookingQuerySet:
        """Those that keep their hour."""
        return self.filter(state__in=OCCUPYING)

    def spending(self) -> BookingQuerySet:
        """Those that have a claim on the payment that they name."""
        return self.filter(payment_released_at=None).exclude(state__in=GIVES_PAYMENT_BACK).exclude(payment=None)

    def open_free_calls(self, email: str) -> BookingQuerySet:
        """The one that a person has, or nothing; what is only held is nobody's call yet."""
        return self.filter(session_type="free", state__in=OPEN, customer_email_hash__in=email_digests(email))

    def visible_to(self, member: StaffMember) -> BookingQuerySet:
        """Those that this person may see: a therapist's own, and everybody's where the role reaches beyond that."""
        if member.has_perm("catalogue.see_every_therapist"):
            return self
        return self.filter(therapist__member=member)

    def overlapping(self, *, therapist_id: uuid.UUID, starts_at: datetime, ends_at: datetime) -> BookingQuerySet:
        """Those of one therapist that touch a span, their buffers included."""
        still_occupied = GreaterThan(F("ends_at") + BUFFER, starts_at)
        return self.filter(still_occupied, therapist_id=therapist_id, starts_at__lt=ends_at)


class FindingKind(models.TextChoices):
    """In which way the calendar and we do not agree."""

    UNKNOWN = "UNKNOWN", "Stands in the calendar, and not here"
    MISSING = "MISSING", "Booked here, and missing in the calendar"
    CONFLICT = "CONFLICT", "Changed in the calendar, and cannot be followed here"
    IN_DOUBT = "IN_DOUBT", "Given up or moved late in the calendar, and by whom is in doubt"


class Booking(models.Model):
    """One session of one client.

    The first thirteen columns are the specification's, by name, type, nullability and default.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, db_default=RandomUUID(), editable=False)
    calcom_booking_id = models.CharField(max_length=255, null=True)  # noqa: DJ001  (the specification's is nullable)
    session_type = models.CharField(max_length=50)
    session_date = models.DateField(help_text="Practice local date.")
    session_time = models.TimeField(help_text="Practice local time.")
    customer_name = EncryptedTextField(label="bookings.customer_name", db_column="customer_name_encrypted")
    customer_email = EncryptedTextField(label="bookings.customer_email", db_column="customer_email_encrypted")
    customer_phone = EncryptedTextField(
        label="bookings.customer_phone", db_column="customer_phone_encrypted", null=True
    )
    payment = models.ForeignKey(
        "payments.Payment",
        to_field="provider_payment_id",
        on_delete=models.PROTECT,
        null=True,
        related_name="bookings",
    )
    payment_status = models.CharField(max_length=50, null=True)  # noqa: DJ001
    consent = models.ForeignKey("consent.ConsentRecord", on_delete=models.PROTECT, null=True, related_name="bookings")
    created_at = models.DateTimeField(null=True, db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(null=True, db_default=TransactionNow())

    consent_named = models.BooleanField(
        default=False, db_default=True, help_text="By its client: its id then is proof."
    )
    state = models.CharField(max_length=20, choices=BookingState)
    therapist = models.ForeignKey("catalogue.Therapist", on_delete=models.PROTECT, related_name="bookings")
    offer = models.ForeignKey("catalogue.SessionOffer", on_delete=models.PROTECT, related_name="bookings")
    session_format = models.CharField(max_length=20, choices=SessionFormat)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    buffer_minutes = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Kept free after it, as its offer says; less where the therapist moved a session into it.",
    )
    customer_email_hash = models.CharField(max_length=64, help_text="Blind index of the normalized email.")
    customer_phone_hash = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Blind index of the phone in E.164; empty without one, or until `index_phones` has come by.",
    )
    hold_expires_at = models.DateTimeField(null=True)
    held_from = models.CharField(max_length=64, blank=True, help_text="Keyed digest of the address, to bound holds.")
    calendar_asked_at = models.DateTimeField(
        null=True, help_text="When the calendar was asked to book, as long as its answer is not known."
    )
    calendar_refusals = models.PositiveSmallIntegerField(
        default=0, help_text="How often it said taken after an unanswered call."
    )
    payment_released_at = models.DateTimeField(
        null=True, help_text="When the practice cancelled: the client may spend the money again, or have it back."
    )
    held_for = models.OneToOneField(
        "self",
        on_delete=models.CASCADE,
        null=True,
        related_name="move_hold",
        help_text="On the hold of a move: the session that is to come here. Such a row is nobody's booking.",
    )
    refund_percent_at_most = models.PositiveSmallIntegerField(
        null=True,
        help_text="What the client could have had back when it was moved late in the calendar, and not by a host.",
    )
    moves = models.PositiveSmallIntegerField(default=0, help_text="How often the client has moved it.")
    sequence = models.PositiveSmallIntegerField(
        default=0, help_text="How often its time has changed: SEQUENCE in calendar files."
    )
    delay_told_at = models.DateTimeField(
        null=True, help_text="When the client was told that the calendar takes longer."
    )
    link_version = models.PositiveIntegerField(default=1, help_text="Raise it to revoke the client's links.")
    locale = models.CharField(max_length=10, default="en")
    time_zone = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="The client's, if their browser told it."
    )

    phone_columns: ClassVar = {"customer_phone": "customer_phone_hash"}
    objects = BookingQuerySet.as_manager()

    class Meta:
        db_table = "bookings"
        permissions: ClassVar = [
            ("cancel_booking", "Can cancel for the practice"),
            ("move_booking", "Can move to another time, and have it confirmed again"),
            ("note_attendance", "Can note who came"),
            ("reveal_booking", "Can see who the client is, with a reason"),
        ]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="booking_no_overlap",
                expressions=[
                    ("therapist", RangeOperators.EQUAL),
                    (OCCUPIED_SPAN, RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=OCCUPYING),
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=~Q(state__in=GIVES_PAYMENT_BACK) & Q(payment_released_at=None),
                name="booking_payment_spent_once",
            ),
            models.UniqueConstraint(
                fields=["customer_email_hash"],
                condition=Q(session_type="free", state__in=OPEN),
                name="booking_one_open_free_call",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="booking_ends_after_start"),
            models.CheckConstraint(
                condition=~Q(state=BookingState.HELD) | Q(hold_expires_at__isnull=False), name="booking_hold_ends"
            ),
            models.CheckConstraint(
                condition=~Q(state=BookingState.CONFIRMED) | Q(calcom_booking_id__isnull=False),
                name="booking_confirmed_in_calendar",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["starts_at"], name="booking_starts"),
            models.Index(fields=["state", "starts_at"], name="booking_state"),
            models.Index(fields=["customer_email_hash"], name="booking_customer"),
            models.Index(fields=["customer_phone_hash"], name="booking_phone"),
            models.Index(
                fields=["id"],
                condition=Q(customer_phone__isnull=False, customer_phone_hash=""),
                name="booking_phone_unindexed",
            ),
            # For the purge: so each of its two kinds of booking is found, and counted, by the index alone.
            models.Index(
                fields=["ends_at"],
                condition=CAME_TO_SOMETHING,
                name="booking_settled_named",
            ),
            models.Index(
                fields=["ends_at"],
                condition=CAME_TO_NOTHING,
                name="booking_unbooked_named",
            ),
            models.Index(fields=["calcom_booking_id"], name="booking_calendar_uid"),
            models.Index(fields=["therapist", "starts_at"], name="booking_therapist"),
            models.Index(fields=["session_type", "starts_at"], name="booking_type"),
            models.Index(fields=["hold_expires_at"], condition=Q(state=BookingState.HELD), name="booking_hold_due"),
        ]

    def __str__(self) -> str:
        return f"{type_in_words(self.session_type)}, {_local_time(self.starts_at)}"

    # Mutators: call them on a row re-read under its lock, then save.

    def place(self) -> None:
        """Make it ours: from now on it is being written into the calendar."""
        self._move_to(BookingState.PENDING)
        self.hold_expires_at = None

    def confirm(self, *, calendar_uid: str) -> None:
        """Take note that the calendar has it."""
        self._move_to(BookingState.CONFIRMED)
        self.calcom_booking_id = calendar_uid
        self.calendar_asked_at = None

    def reject(self) -> None:
        """Take note that the calendar will not have it; the payment is free again."""
        self._move_to(BookingState.REJECTED)
        self.calendar_asked_at = None

    def expire(self) -> None:
        """Let the slot go: the hold ran out unpaid."""
        self._move_to(BookingState.EXPIRED)

    def cancel(self) -> None:
        """Give it up."""
        self._move_to(BookingState.CANCELLED)

    def move(self, *, starts_at: datetime, calendar_uid: str) -> None:
        """Take over another time, under the name that the calendar gave it there; it stays as long as it was."""
        if self.state != BookingState.CONFIRMED:
            msg = f"booking {self.id} cannot change its time in {self.state}"
            raise ImpossibleMove(msg)
        self.ends_at = starts_at + (self.ends_at - self.starts_at)
        self.starts_at = starts_at
        self.session_date, self.session_time = local(starts_at).date(), local(starts_at).time()
        self.calcom_booking_id = calendar_uid
        self.sequence += 1

    def complete(self) -> None:
        """It has taken place."""
        self._move_to(BookingState.COMPLETED)

    def miss(self) -> None:
        """The client did not come."""
        self._move_to(BookingState.NO_SHOW)

    def spend(self, payment: Payment) -> None:
        """Pay it with a captured payment."""
        self.payment = payment
        self.payment_status = payment.state.lower()

    def release_payment(self, *, now: datetime) -> None:
        """Give up the claim on the payment: it is the client's to spend again."""
        self.payment_released_at = now

    def _move_to(self, state: BookingState) -> None:
        if state not in ALLOWED[BookingState(self.state)]:
            msg = f"booking {self.id} cannot move from {self.state} to {state}"
            raise ImpossibleMove(msg)
        self.state = state

    # Properties

    @property
    def lane(self) -> str:
        """The outbox lane of its calendar and mails: one message at a time, oldest first."""
        return f"booking:{self.id}"

    @property
    def occupied_until(self) -> datetime:
        """When the therapist's next session may begin."""
        return self.ends_at + timedelta(minutes=self.buffer_minutes)

    @property
    def customer_first_name(self) -> str:
        """How pages and mails greet; empty once the person is erased, and for a name that carries an address.

        Anybody may have us write to anybody, and nobody's link is to go out in our name.
        """
        if ADDRESS_IN_NAME.search(unicodedata.normalize("NFKC", self.customer_name)):
            return ""
        return next(iter(self.customer_name.split()), "")

    @property
    def is_settled(self) -> bool:
        """Whether the client has, or will have without doing more, what was booked."""
        return self.state in {BookingState.PENDING, BookingState.CONFIRMED}


class LedgerEntry(Payment):
    """A captured payment as the books see it: a page of the admin, and no table."""

    class Meta:
        proxy = True
        default_permissions = ("view",)
        verbose_name = "ledger entry"
        verbose_name_plural = "ledger"


class CalendarFindingQuerySet(models.QuerySet["CalendarFinding"]):
    """Findings, as far as a person may see them."""

    def visible_to(self, member: StaffMember) -> CalendarFindingQuerySet:
        """Those about sessions that this person may see, or in a calendar of their own."""
        if member.has_perm("catalogue.see_every_therapist"):
            return self
        therapist = Therapist.objects.filter(member=member).first()
        if therapist is None:
            return self.none()
        in_own_calendar = Q(booking=None, event_type__in=event_types_of(therapist.id))
        return self.filter(Q(booking__therapist=therapist) | in_own_calendar)


class CalendarCursor(models.Model):
    """Up to which change the calendar has been read."""

    CHANGES = "changes"

    name = models.CharField(primary_key=True, max_length=20)
    changed_until = models.DateTimeField(help_text="Of the latest change that was read, by the calendar's clock.")
    asked_at = models.DateTimeField(null=True, help_text="When it was last read to its end.")

    class Meta:
        db_table = "calendar_cursors"

    def __str__(self) -> str:
        return self.name


class CalendarFinding(models.Model):
    """Something on which the calendar and we do not agree, for staff to look at. It is never deleted there or here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=FindingKind)
    calendar_uid = models.CharField(max_length=255)
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, null=True, related_name="findings")
    starts_at = models.DateTimeField()
    event_type = models.CharField(max_length=50, blank=True)
    calendar_state = models.CharField(max_length=20, blank=True)
    client_name = EncryptedTextField(
        label="calendar_findings.client_name", db_column="client_name_encrypted", null=True
    )
    client_email = EncryptedTextField(
        label="calendar_findings.client_email", db_column="client_email_encrypted", null=True
    )
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="Since when both sides agree again.")

    objects = CalendarFindingQuerySet.as_manager()

    class Meta:
        db_table = "calendar_findings"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "calendar_uid"], name="finding_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["starts_at"], condition=Q(settled_at=None), name="finding_open"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {_local_time(self.starts_at)}"


class Reminder(models.Model):
    """That a client is reminded of a session at one time: its row is what keeps a second one from going."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="reminders")
    kind = models.CharField(max_length=10, choices=ReminderKind)
    session_starts_at = models.DateTimeField(help_text="When it was to begin; a session that was moved has others.")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "reminders"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["booking", "kind", "session_starts_at"], name="reminder_once")
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="reminder_created")]

    def __str__(self) -> str:
        return f"{self.kind} before {_local_time(self.session_starts_at)}"


class ReminderRefusal(models.Model):
    """A client who wants no reminders, of any session."""

    email_hash = models.CharField(primary_key=True, max_length=64, help_text="Blind index of the normalized email.")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "reminder_refusals"

    def __str__(self) -> str:
        return f"no reminders since {self.created_at:%Y-%m-%d}"
