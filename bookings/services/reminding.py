"""Remind clients of their sessions: once, in time, and only those who want it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from bookings.models import Booking, Reminder, ReminderRefusal
from bookings.reminders import LONGEST_AHEAD, due_kinds, is_wanted
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.encryption.blind_index import email_digest, email_digests
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


def remind_of_sessions(*, now: datetime) -> int:
    """Put the reminders that are due into the outbox, and return how many.

    Any number of workers may do so at once, and one that dies leaves the rest to the next: a reminder is a row, unique
    for its session and hour, and what has been moved or cancelled is looked at under its lock.
    """
    soon = Booking.objects.filter(
        state=BookingState.CONFIRMED, starts_at__gt=now, starts_at__lte=now + LONGEST_AHEAD
    ).order_by("starts_at")
    due = [booking for booking in soon if any(due_kinds(booking, now=now))]
    noted = _noted(due)
    return sum(
        _remind(booking.id, now)
        for booking in due
        if any((booking.id, kind, booking.starts_at) not in noted for kind in due_kinds(booking, now=now))
    )


def stop_reminders(*, booking: Booking, now: datetime) -> None:
    """Remind this client no more, of no session."""
    with transaction.atomic():
        _, is_new = ReminderRefusal.objects.get_or_create(
            email_hash=email_digest(booking.customer_email), defaults={"created_at": now}
        )
        if is_new:
            record(action="reminders.stopped", actor="client", target=f"booking:{booking.id}", now=now)


def resume_reminders(*, booking: Booking, now: datetime) -> None:
    """Remind this client again."""
    with transaction.atomic():
        refusals = ReminderRefusal.objects.filter(email_hash__in=email_digests(booking.customer_email))
        if refusals.delete()[0]:
            record(action="reminders.resumed", actor="client", target=f"booking:{booking.id}", now=now)


def _noted(due: list[Booking]) -> set[tuple[UUID, str, datetime]]:
    """Which of these are reminded of already, and for which hour: they stay due for hours, and need no lock for it."""
    if not due:
        return set()
    return set(Reminder.objects.filter(booking__in=due).values_list("booking_id", "kind", "session_starts_at"))


def _remind(booking_id: UUID, now: datetime) -> int:
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        if not is_wanted(booking):
            return 0
        return sum(_put_down(booking, kind, now) for kind in due_kinds(booking, now=now))


def _put_down(booking: Booking, kind: str, now: datetime) -> bool:
    reminder, is_new = Reminder.objects.get_or_create(
        booking=booking, kind=kind, session_starts_at=booking.starts_at, defaults={"created_at": now}
    )
    if is_new:
        enqueue(
            topic="email.reminder", lane=f"reminder:{reminder.id}", payload={"reminder_id": str(reminder.id)}, now=now
        )
    return is_new
