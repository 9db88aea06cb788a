"""What the calendar and we do not agree on, written down for staff to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookings.models import CalendarFinding, FindingKind
from mindfulqalb.catalogue.queries import event_types_sold

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from bookings.calendars.base import Appointment
    from bookings.models import Booking


def note_unknown(*, appointment: Appointment, now: datetime) -> bool:
    """Keep an appointment that no booking of ours has led to, as long as it stands; return whether it does.

    Those of event types that we do not sell are the therapist's own business.
    """
    if appointment.is_over or appointment.event_type not in event_types_sold():
        _settle(now, kind=FindingKind.UNKNOWN, calendar_uid=appointment.uid)
        return False
    _note(FindingKind.UNKNOWN, None, appointment, now)
    return True


def note_missing(*, booking: Booking, now: datetime) -> CalendarFinding:
    """Keep that a session of ours does not stand in the calendar."""
    finding, _ = CalendarFinding.objects.update_or_create(
        kind=FindingKind.MISSING,
        calendar_uid=booking.calcom_booking_id or "",
        defaults={"booking": booking, "starts_at": booking.starts_at, "seen_at": now, "settled_at": None},
        create_defaults={"booking": booking, "starts_at": booking.starts_at, "seen_at": now, "found_at": now},
    )
    return finding


def note_conflict(*, booking: Booking, appointment: Appointment, now: datetime) -> None:
    """Keep that an appointment was changed in a way that its booking cannot follow; what was before is history."""
    earlier = CalendarFinding.objects.filter(kind=FindingKind.CONFLICT, booking=booking, settled_at=None)
    earlier.exclude(calendar_uid=appointment.uid).update(settled_at=now)
    _note(FindingKind.CONFLICT, booking, appointment, now)


def note_doubt(*, booking: Booking, appointment: Appointment, now: datetime) -> None:
    """Keep that money depends on who has changed an appointment; what staff have answered is not asked again."""
    asked = CalendarFinding.objects.filter(
        kind=FindingKind.IN_DOUBT, calendar_uid=appointment.uid, calendar_state=appointment.state.value
    )
    if booking.payment_id is not None and not asked.exists():
        _note(FindingKind.IN_DOUBT, booking, appointment, now)


def settle_findings(*, booking_id: UUID, now: datetime) -> None:
    """Close what was found about a booking: both sides agree again. What is in doubt, only a person can answer."""
    _settle(now, booking_id=booking_id, kind__in=(FindingKind.UNKNOWN, FindingKind.MISSING, FindingKind.CONFLICT))


def settle_missing(*, seen_before: datetime, now: datetime) -> None:
    """Close what was missing and was not found missing again: it stands there now, or is not booked any more."""
    CalendarFinding.objects.filter(kind=FindingKind.MISSING, settled_at=None, seen_at__lt=seen_before).update(
        settled_at=now
    )


def _note(kind: FindingKind, booking: Booking | None, appointment: Appointment, now: datetime) -> None:
    seen = {
        "booking": booking,
        "starts_at": appointment.starts_at,
        "event_type": appointment.event_type,
        "calendar_state": appointment.state.value,
        "client_name": appointment.client_name,
        "client_email": appointment.client_email,
        "seen_at": now,
    }
    CalendarFinding.objects.update_or_create(
        kind=kind,
        calendar_uid=appointment.uid,
        defaults=seen | {"settled_at": None},
        create_defaults=seen | {"found_at": now},
    )


def _settle(now: datetime, **which: object) -> None:
    CalendarFinding.objects.filter(settled_at=None, **which).update(settled_at=now)
