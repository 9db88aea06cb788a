"""How long bookings name their clients, and what else is about whoever booked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from bookings.models import (
    CAME_TO_NOTHING,
    CAME_TO_SOMETHING,
    NAMED,
    Booking,
    CalendarFinding,
    ReminderRefusal,
)
from bookings.states import OCCUPYING
from consent.models import ConsentRecord
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.retention.registry import Retained, Subjects, keep, owns
from mindfulqalb.retention.removers import empty_columns, keep_whole
from mindfulqalb.retention.states import Action
from payments.models import Payment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

TAKE_PERSON_OUT = empty_columns(
    Booking,
    customer_name="",
    customer_email="",
    customer_phone=None,
    customer_email_hash="",
    customer_phone_hash="",
    held_from="",
    time_zone="",
)

FINDINGS = keep_whole("calendar_finding", CalendarFinding, since="seen_at")
REMINDER_REFUSALS = keep_whole("reminder_refusal", ReminderRefusal, since="created_at", person="email_hash")
# Bookings come last: as long as they name their client, what hangs on them can be told to be that client's.
BOOKINGS = keep(
    Retained(
        kind="booking",
        model=Booking,
        since="ends_at",
        person="customer_email_hash",
        made="created_at",
        holding=CAME_TO_SOMETHING,
        waiting=Q(state__in=OCCUPYING) & NAMED,
        actions={Action.ANONYMISE: TAKE_PERSON_OUT},
    )
)
UNBOOKED_HOLDS = keep(
    Retained(
        kind="unbooked",
        model=Booking,
        since="ends_at",
        person="customer_email_hash",
        made="created_at",
        holding=CAME_TO_NOTHING,
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
    return Q(pk__in=_found(subjects).payments)


@owns("receipt")
def receipts_of(subjects: Subjects) -> Q:
    """Receipts of those payments."""
    return Q(payment__in=_found(subjects).payments)


@owns("consent")
def consents_of(subjects: Subjects) -> Q:
    """Consents that a booking of theirs stands on, with a guardian's and what closed them."""
    consents = [row.consent_id for row in _found(subjects).bookings if row.consent_id]
    return Q(pk__in=consents) | Q(part_of__in=consents) | Q(refers_to__in=consents)


@owns("mail", "webhook")
def about_theirs(subjects: Subjects) -> Q:
    """Mails and webhooks about a booking of theirs, its payment or its consent."""
    return Q(about__in=_names(subjects))


@owns("audit_event")
def events_about_theirs(subjects: Subjects) -> Q:
    """Events about a booking of theirs, its payment or its consent."""
    return Q(target__in=_names(subjects))


@owns("calendar_finding")
def findings_of(subjects: Subjects) -> Q:
    """Findings about a booking of theirs, and the few about an appointment that no booking led to, looked through."""
    strangers = CalendarFinding.objects.filter(booking=None, client_email__isnull=False)
    known = set(subjects.persons)
    theirs = [row.pk for row in strangers if known & set(email_digests(row.client_email or ""))] if known else []
    return Q(booking__in=[row.id for row in _found(subjects).bookings]) | Q(pk__in=theirs)


@dataclass(frozen=True)
class Found:
    """What leads to a person. As ids: with subqueries in their stead each chunk of a purge reads whole tables."""

    bookings: Sequence[Booking] = ()
    payments: Sequence[UUID] = ()


def _found(subjects: Subjects) -> Found:
    if not (subjects.persons or subjects.targets):
        return Found()
    named = Q(customer_email_hash__in=subjects.persons) | Q(id__in=subjects.ids_of("booking"))
    bookings = list(Booking.objects.filter(named).only("id", "payment_id", "consent_id"))
    paid_with = Q(provider_payment_id__in=[row.payment_id for row in bookings if row.payment_id])
    payments = Payment.objects.filter(paid_with | Q(reference__in=[str(row.id) for row in bookings]))
    return Found(bookings, list(payments.values_list("id", flat=True)))


def _names(subjects: Subjects) -> list[str]:
    found = _found(subjects)
    consents = ConsentRecord.objects.filter(consents_of(subjects)).values_list("id", flat=True)
    ids = {"booking": [row.id for row in found.bookings], "payment": found.payments, "consent": consents}
    return [f"{kind}:{pk}" for kind, pks in ids.items() for pk in pks]
