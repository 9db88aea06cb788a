"""Have a session confirmed once more: in the calendar where it waits for it, to the client where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from bookings.models import Booking
from bookings.refusals import AlreadyBeingConfirmed, NotConfirmable
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.queries import is_waiting
from mindfulqalb.outbox.services import bring_forward, enqueue

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

CREATE, MAIL = "calendar.create", "email.confirmation"


def confirm_again(*, booking_id: UUID, actor: str, now: datetime) -> Booking:
    """Ask the calendar at once for a session that is being placed; mail the confirmation again where it stands.

    The calendar is looked through before it is asked, so that nothing is booked twice. Raises NotConfirmable, and
    AlreadyBeingConfirmed for a second click while the mail has not gone out.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        match booking.state:
            case BookingState.PENDING:
                _place_now(booking, actor, now)
            case BookingState.CONFIRMED if booking.starts_at > now:
                _mail_again(booking, now)
            case _:
                raise NotConfirmable
        record(action="booking.confirmed_again", actor=actor, target=f"booking:{booking.id}", now=now)
    return booking


def _place_now(booking: Booking, actor: str, now: datetime) -> None:
    if not bring_forward(lane=booking.lane, topic=CREATE, actor=actor, now=now):
        enqueue(topic=CREATE, lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)


def _mail_again(booking: Booking, now: datetime) -> None:
    if is_waiting(lane=booking.lane, topic=MAIL):
        raise AlreadyBeingConfirmed
    enqueue(topic=MAIL, lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)
