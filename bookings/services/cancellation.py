"""Give up a session: free the hour, send the money back as the policy says, clear the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from bookings.calendars import calendar
from bookings.listings import distrust_listings
from bookings.models import Booking
from bookings.practice_time import days_between
from bookings.refusals import NotCancellable
from bookings.services.endings import CALENDAR
from bookings.services.hands import Hand
from bookings.services.placement import LOOK_AGAIN, appointment_request
from bookings.services.trails import latest_appointment
from bookings.slots import give_up_hold
from bookings.states import BookingState
from mindfulqalb.audit.services import record
from mindfulqalb.catalogue.queries import event_types_of, refund_percent
from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.outbox.services import enqueue, settle
from payments.models import Payment
from payments.money import Money
from payments.queries import owable
from payments.refunds import NothingToRefund, request_refund
from payments.services import PaymentUnusable, lock_spendable
from payments.states import RefundReason

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

CANCELLABLE = (BookingState.PENDING, BookingState.CONFIRMED)
EVERYTHING = 100


@dataclass(frozen=True)
class Quote:
    """What goes back if the client cancels now; `refund` is None where nothing was paid."""

    percent: int
    refund: Money | None


def quote_cancellation(booking: Booking, *, now: datetime) -> Quote:
    """Work out what the policy gives back, in whole minor units, rounded in the client's favor."""
    percent = percent_back(booking, at=now)
    return Quote(percent, _share(booking, percent))


def percent_back(booking: Booking, *, at: datetime) -> int:
    """Say how much goes back when the client cancels at that moment.

    No more than when somebody moved it late in the calendar, past our rules: a later time gives no new notice.
    """
    percent = refund_percent(notice=booking.starts_at - at)
    most = booking.refund_percent_at_most
    return percent if most is None else min(percent, most)


def cancel_by_client(*, booking_id: UUID, now: datetime, actor: str = "client") -> Booking:
    """Cancel as the holder of the signed link, or as staff whom the client has asked: the policy decides the refund.

    A hold is simply let go. Cancelled before: nothing happens again.

    Raises NotCancellable once the session has begun or ended, and for the hold of a move, which is nobody's session.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        if booking.held_for_id is not None:
            raise NotCancellable
        if booking.state == BookingState.CANCELLED:
            return booking
        if booking.state == BookingState.HELD:
            give_up_hold(booking, actor=actor, now=now)
            return booking
        if booking.starts_at <= now:
            raise NotCancellable
        _cancel(booking, percent_back(booking, at=now), RefundReason.CANCELLED_BY_CLIENT, actor, now)
    return booking


def cancel_by_practice(*, booking_id: UUID, actor: str, now: datetime) -> Booking:
    """Cancel for the practice: the client chooses another time or all of the money. Raises NotCancellable."""
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        if booking.state != BookingState.CANCELLED:
            _cancel(booking, EVERYTHING, RefundReason.CANCELLED_BY_PRACTICE, actor, now)
    return booking


def cancel_by_calendar(*, booking_id: UUID, hand: Hand, at: datetime, now: datetime) -> Booking:
    """Follow a cancellation that was made in the calendar `at` a moment before the session.

    By a host, or so early that it makes no difference: the client chooses another time or all of the money. By the
    client, or by nobody knows whom: the policy of that moment decides.
    """
    with transaction.atomic():
        booking = Booking.objects.locked(booking_id)
        if booking.state == BookingState.CANCELLED:
            return booking
        percent = percent_back(booking, at=at)
        if hand == Hand.CLIENT:
            _cancel(booking, percent, RefundReason.CANCELLED_BY_CLIENT, "client", now)
        elif hand == Hand.HOST or percent == EVERYTHING:
            _cancel(booking, EVERYTHING, RefundReason.CANCELLED_BY_PRACTICE, CALENDAR, now)
        else:
            _cancel(booking, percent, RefundReason.CANCELLED_IN_CALENDAR, CALENDAR, now)
    return booking


def give_the_rest(*, booking: Booking, actor: str, now: datetime) -> None:
    """Give what the rules have kept of a session that, as it turned out, the practice gave up; in a transaction.

    Where nothing has gone back yet the client chooses, as when the practice cancels here. Raises NothingToRefund.
    """
    if booking.payment is None:
        raise NothingToRefund
    if booking.state == BookingState.CANCELLED and _is_all_there(booking):
        booking.release_payment(now=now)
        booking.save(update_fields=["payment_released_at"])
        enqueue(topic="email.cancelled", lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)
        return
    request_refund(
        payment_id=booking.payment.id,
        amount_minor=None,
        reason=RefundReason.CANCELLED_BY_PRACTICE,
        actor=actor,
        now=now,
        waits_for_bank=True,
    )


def clear_calendar(*, booking_id: UUID, now: datetime) -> None:
    """Take a cancelled booking's appointment out of the calendar, also one whose making was never answered.

    Raises RetryLater while such an appointment may still come to light.
    """
    booking = Booking.objects.select_related("offer").get(id=booking_id)
    uid = _moved_uid(booking, now) if booking.calcom_booking_id else _unanswered_uid(booking, now)
    if uid is not None:
        calendar().cancel(uid, reason="Cancelled by the client or the practice")
    Booking.objects.filter(held_for=booking_id).delete()
    days = days_between(booking.starts_at, booking.ends_at)
    distrust_listings(*event_types_of(booking.therapist_id), now=timezone.now(), days=days)


def _unanswered_uid(booking: Booking, now: datetime) -> str | None:
    """Find what a call that was never answered may have written."""
    if booking.calendar_asked_at is None:
        return None
    found = calendar().find(appointment_request(booking))
    if found is None and now - booking.calendar_asked_at < 2 * LOOK_AGAIN:
        raise RetryLater(LOOK_AGAIN)
    return found.uid if found else None


def _moved_uid(booking: Booking, now: datetime) -> str | None:
    """Find where it stands by now: moved, by a call of ours that was never answered or by the therapist."""
    uid = booking.calcom_booking_id or ""
    found = latest_appointment(uid, asking=calendar())
    hold = Booking.objects.filter(held_for=booking.id, calendar_asked_at__gt=now - 2 * LOOK_AGAIN)
    if found is not None and found.uid == uid and hold.exists():
        raise RetryLater(LOOK_AGAIN)
    return found.uid if found else None


def _cancel(booking: Booking, percent: int, reason: RefundReason, actor: str, now: datetime) -> None:
    if booking.state not in CANCELLABLE:
        raise NotCancellable
    if booking.payment is not None:
        # What is left of it is reckoned under its lock: staff may be sending some of it back at this moment.
        booking.payment = Payment.objects.locked(booking.payment.id)
    is_clients_choice = reason == RefundReason.CANCELLED_BY_PRACTICE and _is_all_there(booking)
    refund = None if is_clients_choice else _share(booking, percent)
    booking.cancel()
    if is_clients_choice:
        booking.release_payment(now=now)
    booking.updated_at = now
    booking.save()
    if refund is not None and refund.amount_minor > 0 and booking.payment is not None:
        request_refund(
            payment_id=booking.payment.id,
            amount_minor=refund.amount_minor,
            reason=reason,
            actor=actor,
            now=now,
            waits_for_bank=True,
        )
    record(
        action="booking.cancelled",
        actor=actor,
        target=f"booking:{booking.id}",
        now=now,
        details={"percent": percent, "refund": refund.amount_minor if refund else None},
    )
    # What nobody wants written any more must not keep mail and calendar waiting for its next try.
    for topic in ("calendar.create", "calendar.move"):
        settle(lane=booking.lane, topic=topic, now=now)
    # A time that the calendar was asked for is kept until it is certain that nothing of ours stands there.
    Booking.objects.filter(held_for=booking.id, calendar_asked_at=None).delete()
    for topic in ("calendar.cancel", "email.cancelled"):
        enqueue(topic=topic, lane=booking.lane, payload={"booking_id": str(booking.id)}, now=now)


def _is_all_there(booking: Booking) -> bool:
    """Hold the payment, and tell whether it could pay for another session."""
    if booking.payment is None:
        return False
    try:
        lock_spendable(booking.payment.id)
    except PaymentUnusable:
        return False
    return True


def _share(booking: Booking, percent: int) -> Money | None:
    if booking.payment is None:
        return None
    left = owable(booking.payment)
    # Whole minor units, and the broken one is the client's. What went back before counts as part of the share.
    kept = booking.payment.captured.amount_minor * (EVERYTHING - percent) // EVERYTHING
    return Money(max(left.amount_minor - kept, 0), left.currency)
