"""Correct name, email or phone in all bookings of a client, and let nothing that hangs on the old email be lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from bookings.models import Booking, ReminderRefusal
from bookings.refusals import BeingPlaced, database_refusals
from bookings.services.correcting import UNDECIDED
from bookings.states import BookingState
from mindfulqalb.audit.services import record, required_reason
from mindfulqalb.encryption.blind_index import email_digest, email_digests, phone_digest
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.retention.holds import lock_purge, place_hold
from mindfulqalb.retention.models import LegalHold, Restriction
from mindfulqalb.retention.restrictions import restrict_person

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.subject_requests.answers import Particulars

DIGESTS = ("customer_email_hash", "customer_phone_hash")
COLUMNS = {"name": "customer_name", "email": "customer_email", "phone": "customer_phone"}


def correct_client(*, email: str, corrected: Particulars, actor: str, reason: str, now: datetime) -> int:
    """Correct what `corrected` says in every booking of a person; return how many there were.

    With a new email the links that went to the old one die, and whoever has a session ahead gets its confirmation
    anew. Consent, receipts and mails stay as they were: they are evidence of what was said then. So does the calendar,
    which has no call that renames an attendee (https://cal.com/docs/api-reference/v2/bookings). Raises ReasonRequired,
    BeingPlaced while one is being written into the calendar, and FreeCallAlreadyBooked.
    """
    why = required_reason(reason)
    with transaction.atomic():
        lock_purge()  # what is carried over must not go in between
        theirs = Booking.objects.filter(customer_email_hash__in=email_digests(email)).order_by("id")
        bookings = list(theirs.select_for_update(of=("self",)))
        if any(booking.state in UNDECIDED for booking in bookings):
            raise BeingPlaced
        is_moving = bool(corrected.email) and email_digest(corrected.email) not in email_digests(email)
        if bookings and is_moving:
            _carry_over(email, corrected.email, actor, now)
        for booking in bookings:
            _correct(booking, corrected, is_moving=is_moving)
            _note(booking, corrected, actor, why, now)
            if is_moving and booking.state == BookingState.CONFIRMED and booking.starts_at > now:
                enqueue(topic="email.confirmation", lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)
    return len(bookings)


def _correct(booking: Booking, corrected: Particulars, *, is_moving: bool) -> None:
    booking.customer_name = corrected.name or booking.customer_name
    if corrected.phone:
        booking.customer_phone = corrected.phone
        booking.customer_phone_hash = phone_digest(corrected.phone)
    if corrected.email:
        booking.customer_email = corrected.email
        booking.customer_email_hash = email_digest(corrected.email)
    booking.link_version += is_moving
    with database_refusals():
        booking.save(update_fields=[*COLUMNS.values(), *DIGESTS, "link_version"])


def _note(booking: Booking, corrected: Particulars, actor: str, reason: str, now: datetime) -> None:
    record(
        action="booking.client_corrected",
        actor=actor,
        target=f"booking:{booking.id}",
        details={"fields": [name for name in COLUMNS if getattr(corrected, name)]},
        reason=reason,
        now=now,
    )


def _carry_over(old: str, new: str, actor: str, now: datetime) -> None:
    """Hold, restrict and keep from reminding by the new email, too."""
    digests, digest = email_digests(old), email_digest(new)
    for hold in LegalHold.objects.filter(released_at=None, person_hash__in=digests):
        place_hold(email=new, reason=hold.reason, actor=actor, now=now)
    for restriction in Restriction.objects.filter(settled_at=None, person_hash__in=digests):
        restrict_person(email=new, since=restriction.since)
    if ReminderRefusal.objects.filter(email_hash__in=digests).exists():
        ReminderRefusal.objects.get_or_create(email_hash=digest, defaults={"created_at": now})
