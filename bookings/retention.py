"""How long bookings name their clients, and what else is about whoever booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat

from bookings.models import Booking, CalendarFinding, ReminderRefusal
from bookings.states import BookingState
from consent.models import ConsentRecord
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.retention.registry import Retained, Subjects, keep, owns
from mindfulqalb.retention.removers import delete_rows, empty_columns
from mindfulqalb.retention.states import Action
from payments.models import Payment

if TYPE_CHECKING:
    from django.db.models import QuerySet

UNBOOKED = (BookingState.EXPIRED, BookingState.REJECTED)
SETTLED = (BookingState.COMPLETED, BookingState.NO_SHOW, BookingState.CANCELLED)
TAKE_PERSON_OUT = empty_columns(
    Booking,
    customer_name="",
    customer_email="",
    customer_phone=None,
    customer_email_hash="",
    held_from="",
    time_zone="",
)

FINDINGS = keep(
    Retained(
        kind="calendar_finding",
        model=CalendarFinding,
        since="seen_at",
        actions={Action.ERASE: delete_rows(CalendarFinding)},
    )
)
REMINDER_REFUSALS = keep(
    Retained(
        kind="reminder_refusal",
        model=ReminderRefusal,
        since="created_at",
        person="email_hash",
        actions={Action.ERASE: delete_rows(ReminderRefusal)},
    )
)
# Bookings come last: as long as they name their client, what hangs on them can be told to be that client's.
BOOKINGS = keep(
    Retained(
        kind="booking",
        model=Booking,
        since="ends_at",
        person="customer_email_hash",
        holding=Q(state__in=SETTLED) & ~Q(customer_email_hash=""),
        actions={Action.ANONYMISE: TAKE_PERSON_OUT},
    )
)
UNBOOKED_HOLDS = keep(
    Retained(
        kind="unbooked",
        model=Booking,
        since="ends_at",
        person="customer_email_hash",
        holding=Q(state__in=UNBOOKED) & ~Q(customer_email_hash=""),
        actions={Action.ANONYMISE: TAKE_PERSON_OUT},
    )
)


@owns("booking", "unbooked")
def named(subjects: Subjects) -> Q:
    """Bookings that are named themselves."""
    return Q(pk__in=subjects.ids_of("booking"))


@owns("payment")
def payments_of(subjects: Subjects) -> Q:
    """Payments that a booking of theirs was paid with, or was to be."""
    bookings = _bookings_of(subjects)
    return Q(bookings__in=bookings) | Q(reference__in=bookings.values(text=Cast("id", CharField())))


@owns("receipt")
def receipts_of(subjects: Subjects) -> Q:
    """Receipts of those payments."""
    return Q(payment__provider_payment_id__in=_bookings_of(subjects).values("payment_id"))


@owns("consent")
def consents_of(subjects: Subjects) -> Q:
    """Consents that a booking of theirs stands on, with a guardian's and what closed them."""
    consents = _bookings_of(subjects).values("consent_id")
    return Q(pk__in=consents) | Q(part_of__in=consents) | Q(refers_to__in=consents)


@owns("mail", "webhook")
def about_theirs(subjects: Subjects) -> Q:
    """Mails and webhooks about a booking of theirs, its payment or its consent."""
    return _naming_theirs("about", subjects)


@owns("audit_event")
def events_about_theirs(subjects: Subjects) -> Q:
    """Events about a booking of theirs, its payment or its consent."""
    return _naming_theirs("target", subjects)


@owns("calendar_finding")
def findings_of(subjects: Subjects) -> Q:
    """Findings about a booking of theirs, and the few about an appointment that no booking led to, looked through."""
    strangers = CalendarFinding.objects.filter(booking=None, client_email__isnull=False)
    known = set(subjects.persons)
    theirs = [row.pk for row in strangers if known & set(email_digests(row.client_email or ""))] if known else []
    return Q(booking__in=_bookings_of(subjects)) | Q(pk__in=theirs)


def _bookings_of(subjects: Subjects) -> QuerySet[Booking]:
    return Booking.objects.filter(
        Q(customer_email_hash__in=subjects.persons) | Q(id__in=subjects.ids_of("booking"))
    ).order_by()


def _naming_theirs(column: str, subjects: Subjects) -> Q:
    theirs: dict[str, QuerySet[Any]] = {
        "booking": _bookings_of(subjects),
        "payment": Payment.objects.filter(payments_of(subjects)),
        "consent": ConsentRecord.objects.filter(consents_of(subjects)),
    }
    naming = Q(pk__in=[])
    for kind, rows in theirs.items():
        names = rows.order_by().values(name=Concat(Value(f"{kind}:"), Cast("id", CharField())))
        naming |= Q(**{f"{column}__in": names})
    return naming
