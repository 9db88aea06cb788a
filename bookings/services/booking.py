"""Turn a payment, or a free call, into a session."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from bookings.consents import may_be_placed
from bookings.credits import is_unspent
from bookings.models import Booking
from bookings.refusals import (
    FreeCallAlreadyBooked,
    PaymentAlreadyUsed,
    PaymentForOtherSession,
    PaymentRequired,
    SlotTaken,
)
from bookings.services.bounds import bound_free_calls, network_digest
from bookings.services.drafts import draft_booking
from bookings.services.free_calls import (
    answer_for_another,
    call_asked_for_before,
    locked_own_hold,
    require_offered_call,
)
from bookings.services.holds import give_up_replaced_holds
from bookings.slots import claim_slot, give_up_hold, lock_therapists
from bookings.states import GIVES_PAYMENT_BACK, BookingState
from bookings.wishes import Wish, require_bookable_time
from consent.services import settle_consent
from mindfulqalb.audit.services import record
from mindfulqalb.catalogue.queries import find_offer
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.outbox.services import enqueue
from payments.models import Payment
from payments.refunds import request_refund
from payments.services import PaymentUnusable, find_payment, lock_spendable
from payments.states import RefundReason

if TYPE_CHECKING:
    from datetime import datetime

    from consent.models import ConsentRecord
    from mindfulqalb.catalogue.models import SessionOffer

PAYABLE = (BookingState.HELD, BookingState.EXPIRED)
BOUGHT = (BookingState.PENDING, BookingState.CONFIRMED, BookingState.COMPLETED, BookingState.NO_SHOW)


def book_session(*, wish: Wish, payment_id: str | None, now: datetime) -> Booking:
    """Make a session ours: PENDING, with the calendar call in the outbox.

    Asks the gateway about the payment first. Repeating it with the same email returns the same booking. Raises
    SlotTaken (the payment stays free), UnknownPayment, PaymentNotCaptured, PaymentAlreadyUsed, FreeCallAlreadyBooked,
    what settle_consent raises, and ProviderError. A wish for a free call that only an email speaks for returns the open
    call that its owner has already: who asks must not hear which it was.
    """
    payment = find_payment(provider_id=payment_id, now=now) if payment_id else None
    offer = _offer_wanted(wish, payment)
    if payment is None and not offer.is_free:
        raise PaymentRequired(fields={"paymentId": ["Please pay first."]})
    if (known := _booked_already(wish, payment, now)) is not None:
        return known
    if payment is not None and not payment.is_spendable:
        raise PaymentUnusable
    require_bookable_time(wish.starts_at, now)
    if payment is None:
        require_offered_call(wish, offer, now=now)
    consent = settle_consent(
        session_type=offer.session_type,
        email=wish.customer.email,
        consent_id=wish.consent_id,
        accepted=wish.consent_accepted,
        circumstances=wish.circumstances,
        age_band=wish.age_band,
        now=now,
    )
    with transaction.atomic():
        lock_therapists(offer.therapist_id)
        booking = _book_under_lock(wish, offer, consent, payment, now)
    if payment is None and not wish.is_anonymous and not wish.proves(booking):
        # Said only now: its owner is written to, which must not be undone.
        raise FreeCallAlreadyBooked
    return booking


def place_paid_hold(*, payment_id: UUID, reference: str, now: datetime) -> Booking | None:
    """Complete the hold that a captured payment was made for, though the browser is closed.

    Returns None when there is nothing to do: no hold, or the client was faster. A slot that is lost leaves the
    payment free, and tells the client by mail; money for a session that the client had paid for already goes back.
    """
    hold = Booking.objects.filter(id=UUID(reference)).first() if reference else None
    if hold is None:
        return None
    with transaction.atomic():
        lock_therapists(hold.therapist_id)
        locked = Booking.objects.locked(hold.id)
        try:
            payment = lock_spendable(payment_id)
        except PaymentUnusable:
            return None
        if _spent_by(payment) is not None:
            return None
        was_bought = locked.state in BOUGHT or locked.payment_id not in {None, payment.provider_payment_id}
        with suppress(SlotTaken):
            # Withdrawn between hold and payment, or paid when it is over: nothing is booked, and the money is free.
            is_ahead = locked.state in PAYABLE and locked.starts_at > now
            if is_ahead and may_be_placed(locked):
                return _place(locked, payment, "system", now)
        if was_bought or _has_earlier_money(payment):
            # This one buys nothing, and there is nothing to choose.
            request_refund(
                payment_id=payment_id, amount_minor=None, reason=RefundReason.SECOND_PAYMENT, actor="system", now=now
            )
        else:
            _tell_unplaced(locked, payment, now)
        return None


def _has_earlier_money(payment: Payment) -> bool:
    """Whether the client had paid for the same before, by another order, and may still use that."""
    others = Payment.objects.filter(reference=payment.reference, captured_at__lt=payment.captured_at)
    return any(is_unspent(other) for other in others)


def _offer_wanted(wish: Wish, payment: Payment | None) -> SessionOffer:
    """Find the offer; where the client names no format, the payment says which. Raises PaymentForOtherSession.

    What was paid for is theirs, though it was taken off the list meanwhile.
    """
    if payment is None:
        return find_offer(session_type=wish.session_type, session_format=wish.session_format)
    paid = find_offer(session_type=payment.item, is_paid_for=True)
    session_format = wish.session_format or paid.format
    asked = find_offer(session_type=wish.session_type, session_format=session_format, is_paid_for=True)
    if asked.id != paid.id:
        sentence = _("This payment was made for %(session)s.") % {"session": paid.title}
        raise PaymentForOtherSession(fields={"sessionType": [sentence]})
    return paid


def _booked_already(wish: Wish, payment: Payment | None, now: datetime) -> Booking | None:
    """Find what an equal request made before; an unequal one raises PaymentAlreadyUsed or FreeCallAlreadyBooked."""
    if payment is None:
        return call_asked_for_before(wish, now=now)
    named = _named_by(payment)
    spent = next((booking for booking in named if _spends(booking, payment)), None)
    if spent is None:
        _refuse_strangers(wish, named)
        return None
    if spent.state == BookingState.HELD:
        return None
    if spent.customer_email_hash in email_digests(wish.customer.email) and spent.starts_at == wish.starts_at:
        return spent
    raise PaymentAlreadyUsed


def _named_by(payment: Payment) -> list[Booking]:
    """List what a payment was made for and what it has bought, in any state."""
    named = Q(payment=payment)
    if payment.reference:
        named |= Q(id=UUID(payment.reference))
    return list(Booking.objects.filter(named).order_by("created_at"))


def _spends(booking: Booking, payment: Payment) -> bool:
    """Whether a booking has a claim on a payment, as `BookingQuerySet.spending` reckons it."""
    is_paid_by_it = booking.payment_id == payment.provider_payment_id and booking.payment_released_at is None
    return is_paid_by_it and booking.state not in GIVES_PAYMENT_BACK


def _refuse_strangers(wish: Wish, named: list[Booking]) -> None:
    """Raise PaymentAlreadyUsed where none of what a payment was made for, or has bought, is on the wish's email.

    In whatever state that is: money that waits after a lost slot is its client's, and its id stands on their receipt.
    Whoever was erased cannot be asked.
    """
    hashes = {booking.customer_email_hash for booking in named} - {""}
    if hashes and hashes.isdisjoint(email_digests(wish.customer.email)):
        raise PaymentAlreadyUsed


def _spent_by(payment: Payment) -> Booking | None:
    return Booking.objects.spending().filter(payment=payment).first()


def _book_under_lock(
    wish: Wish, offer: SessionOffer, consent: ConsentRecord, payment: Payment | None, now: datetime
) -> Booking:
    # Whoever was faster has committed by now.
    if (known := _booked_already(wish, payment, now)) is not None:
        return known
    hold = locked_own_hold(wish) if payment is None else _paid_hold(payment)
    if payment is None and (call := answer_for_another(wish, offer, consent, hold, now)) is not None:
        return call
    if hold is not None and hold.offer_id == offer.id and hold.starts_at == wish.starts_at:
        return _place(hold, payment and lock_spendable(payment.id), "client", now)
    if hold is not None and hold.state == BookingState.HELD:
        give_up_hold(hold, actor="client", now=now)
    booking = draft_booking(wish=wish, offer=offer, consent=consent, state=BookingState.PENDING, now=now)
    if offer.is_free:
        booking.held_from = network_digest(wish.circumstances)
    # Who pays with older money may have an unpaid hold of their own in the way.
    give_up_replaced_holds(booking, wish, now)
    return _make_ours(booking, payment and lock_spendable(payment.id), "client", now)


def _paid_hold(payment: Payment) -> Booking | None:
    """Find the hold that was paid for."""
    holds = Booking.objects.select_for_update(of=("self",)).filter(state__in=PAYABLE)
    return holds.filter(id=UUID(payment.reference)).first() if payment.reference else None


def _place(hold: Booking, payment: Payment | None, actor: str, now: datetime) -> Booking:
    hold.place()
    return _make_ours(hold, payment, actor, now)


def _make_ours(booking: Booking, payment: Payment | None, actor: str, now: datetime) -> Booking:
    if payment is not None:
        booking.spend(payment)
    bound_free_calls(booking, now=now)
    claim_slot(booking, now=now)
    record(action="booking.placed", actor=actor, target=f"booking:{booking.id}", now=now)
    # Who waits for the answer tries at once; if they do not live to see it, the worker looks and, if need be, books.
    enqueue(
        topic="calendar.create",
        lane=booking.lane,
        payload={"booking_id": str(booking.id)},
        now=now,
        due_at=now + timedelta(seconds=settings.CALENDAR_TAKEOVER_SECONDS),
    )
    return booking


def _tell_unplaced(booking: Booking, payment: Payment, now: datetime) -> None:
    """Have the client told, unless the money has bought another time by then."""
    enqueue(
        topic="email.slot_lost",
        lane=f"{booking.lane}:news",
        payload={"booking_id": str(booking.id), "payment_id": str(payment.id)},
        now=now,
    )
