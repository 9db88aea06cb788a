"""Settle a conflict with the calendar: staff have decided which time counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from bookings.calendars import background_calendar
from bookings.calendars.base import AppointmentState
from bookings.models import Booking, CalendarFinding, FindingKind
from bookings.refusals import AlreadySettled, NotAConflict, NotInDoubt
from bookings.services.cancellation import give_the_rest
from bookings.services.reconciliation import Outcome, reconcile_appointment, reconcile_uid
from bookings.services.trails import latest_appointment
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.queries import is_waiting
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

PUT_BACK = "calendar.put_back"


def request_put_back(*, finding_id: UUID, actor: str, now: datetime) -> None:
    """Have the calendar put an appointment back to the time that stands here; asked twice, it is put back once.

    Raises NotAConflict for what was settled, is over, or has begun.
    """
    with transaction.atomic():
        finding = CalendarFinding.objects.select_for_update(of=("self",)).select_related("booking").get(id=finding_id)
        booking = finding.booking
        if booking is None or not _is_open(finding, booking, now):
            raise NotAConflict
        if is_waiting(lane=booking.lane, topic=PUT_BACK):
            return
        record(action="booking.put_back", actor=actor, target=f"booking:{booking.id}", now=now)
        enqueue(topic=PUT_BACK, lane=booking.lane, payload={"finding_id": str(finding.id)}, now=now)


def settle_by_hand(*, finding_id: UUID, actor: str, now: datetime) -> None:
    """Close what staff have cleared up with the people concerned; found anew, it is open again.

    Raises AlreadySettled.
    """
    with transaction.atomic():
        finding = CalendarFinding.objects.select_for_update(of=("self",)).get(id=finding_id)
        if finding.settled_at is not None:
            raise AlreadySettled
        finding.settled_at = now
        finding.save(update_fields=["settled_at"])
        target = f"booking:{finding.booking_id}" if finding.booking_id else f"calendar_finding:{finding.id}"
        details = {"finding": str(finding.id), "kind": finding.kind}
        record(action="calendar.finding_settled", actor=actor, target=target, now=now, details=details)


def answer_for_practice(*, finding_id: UUID, actor: str, now: datetime) -> None:
    """Settle a doubt: it was the practice that gave the session up or moved it. The client gets the rest.

    What was only moved is as if a host had moved it: the refund is bound no more. Raises NotInDoubt, and
    NothingToRefund when all has gone back by now.
    """
    doubts = CalendarFinding.objects.filter(kind=FindingKind.IN_DOUBT, settled_at=None)
    with transaction.atomic():
        # The session before its findings, as whoever follows the calendar does.
        booking = Booking.objects.select_for_update(of=("self",)).filter(findings__id=finding_id).first()
        finding = doubts.select_for_update().filter(id=finding_id).first()
        if booking is None or finding is None:
            raise NotInDoubt
        booking.refund_percent_at_most = None
        booking.save(update_fields=["refund_percent_at_most"])
        if finding.calendar_state != AppointmentState.ACCEPTED.value or booking.state != BookingState.CONFIRMED:
            give_the_rest(booking=booking, actor=actor, now=now)
        finding.settled_at = now
        finding.save(update_fields=["settled_at"])
        record(action="booking.given_up_by_practice", actor=actor, target=f"booking:{booking.id}", now=now)


def put_back(*, finding_id: UUID, now: datetime) -> None:
    """Move an appointment in the calendar to where our booking is, unless they agree by now.

    Raises ProviderError; SlotRefused when the calendar has given our time away.
    """
    finding = CalendarFinding.objects.select_related("booking").get(id=finding_id)
    booking = finding.booking
    if booking is None or reconcile_uid(uid=finding.calendar_uid, now=now).outcome != Outcome.CONFLICT:
        return
    booking.refresh_from_db()
    truth = latest_appointment(finding.calendar_uid)
    if truth is None or truth.state != AppointmentState.ACCEPTED or booking.state != BookingState.CONFIRMED:
        return
    moved = background_calendar().move(
        truth.uid,
        starts_at=booking.starts_at,
        reason="Put back to the time that was agreed",
        timeout=settings.CALENDAR_WORKER_TIMEOUT,
    )
    reconcile_appointment(appointment=moved, now=now)


def _is_open(finding: CalendarFinding, booking: Booking, now: datetime) -> bool:
    is_conflict = finding.kind == FindingKind.CONFLICT and finding.settled_at is None
    return is_conflict and booking.state == BookingState.CONFIRMED and booking.starts_at > now
