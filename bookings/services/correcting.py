"""Correct the address of a client who could not be reached."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings

from bookings.links import manage_url, reminders_url
from bookings.models import Booking
from bookings.receipts import booking_paid_by
from bookings.refusals import BeingPlaced, database_refusals
from bookings.states import BookingState
from consent.links import consent_url
from mindfulqalb.audit.services import record
from mindfulqalb.encryption.blind_index import email_digest, email_digests
from mindfulqalb.outbox.services import enqueue
from payments.models import Payment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mindfulqalb.mail.corrections import Correction

# Until it stands in the calendar it is found there by the address that was given first.
UNDECIDED = (BookingState.HELD, BookingState.PENDING)
LINK = re.compile(re.escape(settings.SITE_URL) + r"/(manage|reminders|consent)/[\w-]+\.[\w-]+\.[\w-]+")


def correct_customer_email(correction: Correction) -> Callable[[str], str] | None:
    """Take over a client's corrected address, and return how a mail's old links become new ones.

    Whoever reads the wrong mailbox holds the old links: they die, and that mailbox is told. None for a mail that went
    to somebody else than the booking's client. Raises BeingPlaced, and FreeCallAlreadyBooked where that address has a
    free call already.
    """
    booking = _booking_about(correction.about)
    if booking is None:
        return None
    if _was_corrected_before(booking, correction):
        return partial(_with_new_links, booking, correction.now)
    if booking.customer_email_hash != correction.was:
        return None
    if booking.state in UNDECIDED:
        raise BeingPlaced
    _take_over(booking, correction)
    return partial(_with_new_links, booking, correction.now)


def _was_corrected_before(booking: Booking, correction: Correction) -> bool:
    """Whether this is another mail of a booking that has this address by now, to the address that was given first."""
    is_theirs = booking.customer_email_hash in email_digests(correction.recipient)
    return is_theirs and booking.consent is not None and booking.consent.email_hash == correction.was


def _take_over(booking: Booking, correction: Correction) -> None:
    booking.customer_email = correction.recipient
    booking.customer_email_hash = email_digest(correction.recipient)
    booking.link_version += 1
    with database_refusals():
        booking.save(update_fields=["customer_email", "customer_email_hash", "link_version"])
    target = f"booking:{booking.id}"
    actor, why, now = correction.actor, correction.reason, correction.now
    record(action="booking.address_corrected", actor=actor, target=target, reason=why, now=now)
    # In a lane of its own: nothing else about the session has to wait until a wrong mailbox answers.
    payload = {"booking_id": str(booking.id), "mail_id": str(correction.mail_id)}
    enqueue(topic="email.address_corrected", lane=f"{booking.lane}:address", payload=payload, now=now)


def _booking_about(about: str) -> Booking | None:
    kind, _, text = about.partition(":")
    row_id = UUID(text)
    if kind == "payment":
        payment = Payment.objects.select_related("duplicate_of").filter(id=row_id).first()
        found = booking_paid_by(payment) if payment else None
        if found is None:
            return None
        row_id = found.id
    return Booking.objects.select_for_update(of=("self",)).filter(id=row_id).first()


def _with_new_links(booking: Booking, now: datetime, text: str) -> str:
    new = {"manage": manage_url(booking, now=now), "reminders": reminders_url(booking, now=now)}
    if booking.consent is not None:
        new["consent"] = consent_url(booking.consent, now=now)
    return LINK.sub(lambda link: new.get(link[1], link[0]), text)
