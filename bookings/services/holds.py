"""Keep a slot while the client pays."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from bookings.availability import require_offered
from bookings.models import Booking
from bookings.refusals import NotHeld, PaymentRequired
from bookings.services.bounds import bound_free_calls, bound_holds, network_digest
from bookings.services.drafts import draft_booking
from bookings.slots import claim_slot, expire_hold, give_up_hold, lock_therapists
from bookings.states import BookingState
from bookings.wishes import Wish, require_bookable_time
from consent.services import settle_consent
from mindfulqalb.audit.services import record
from mindfulqalb.catalogue.models import GATEWAY_OF_CURRENCY, SessionOffer, SessionType
from mindfulqalb.catalogue.queries import find_offer
from mindfulqalb.encryption.blind_index import email_digests, phone_digest
from mindfulqalb.vendors.errors import ProviderError
from payments.models import Payment
from payments.orders import start_order
from payments.queries import open_payment_for, paid_payment_for
from payments.services import Checkout, request_order

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from consent.models import ConsentRecord

CURRENCY_OF_GATEWAY = {gateway: currency for currency, gateway in GATEWAY_OF_CURRENCY.items()}


@dataclass(frozen=True)
class Hold:
    """A kept slot and, unless the session is free, the order to pay."""

    booking: Booking
    payment: Payment | None


def hold_slot(*, wish: Wish, pay_with: str | None, checkout: Checkout, now: datetime) -> Hold:
    """Keep a slot for HOLD_MINUTES and ask the gateway for an order.

    Repeating it for the same slot and email returns the same hold. Raises SlotTaken, SlotNotOffered, TooManyHolds,
    PaymentRequired, what settle_consent raises, or ProviderError when calendar or gateway do not answer: then nothing
    is held.
    """
    offer = find_offer(session_type=wish.session_type, session_format=wish.session_format)
    if not offer.is_free and pay_with is None:
        raise PaymentRequired(fields={"payWith": ["Please choose how to pay."]})
    require_bookable_time(wish.starts_at, now)
    require_offered(offer=offer, starts_at=wish.starts_at, now=now)
    consent = settle_consent(
        session_type=offer.session_type,
        email=wish.customer.email,
        consent_id=wish.consent_id,
        accepted=wish.consent_accepted,
        circumstances=wish.circumstances,
        age_band=wish.age_band,
        now=now,
    )
    booking, payment = _write(wish, offer, consent, pay_with, now)
    if payment is not None and payment.provider_order_id is None:
        payment = _order(booking, payment, checkout, now)
    return Hold(booking, payment)


def release_hold(*, booking_id: UUID, now: datetime, actor: str = "client") -> Booking:
    """Free the slot of a client who goes back to choose another one. Raises NotHeld for anything but a hold."""
    with transaction.atomic():
        locked = Booking.objects.locked(booking_id)
        if locked.state != BookingState.HELD:
            raise NotHeld
        give_up_hold(locked, actor=actor, now=now)
    return locked


def expire_holds(*, now: datetime, limit: int = 500) -> int:
    """Let go of holds that ran out, and return how many; those that somebody is working on wait for the next time."""
    with transaction.atomic():
        overdue = Booking.objects.filter(state=BookingState.HELD, hold_expires_at__lte=now)
        rows = list(overdue.select_for_update(skip_locked=True, of=("self",)).order_by("hold_expires_at")[:limit])
        for booking in rows:
            expire_hold(booking, now=now)
    return len(rows)


def _write(
    wish: Wish, offer: SessionOffer, consent: ConsentRecord, pay_with: str | None, now: datetime
) -> tuple[Booking, Payment | None]:
    with transaction.atomic():
        lock_therapists(offer.therapist_id)
        booking = _own_hold(wish, offer, now) or _new_hold(wish, offer, consent, now)
        return booking, _payment_for(booking, offer, pay_with, now)


def _own_hold(wish: Wish, offer: SessionOffer, now: datetime) -> Booking | None:
    """Find this client's live hold on just this slot: a repeated click must not run into itself.

    An email is no proof, but the consent's id is, where the hold named it: it was given to one browser, and nobody can
    guess it.
    """
    if wish.consent_id is None:
        return None
    hold = (
        Booking.objects.select_for_update(of=("self",))
        .filter(
            consent_id=wish.consent_id,
            consent_named=True,
            customer_email_hash__in=email_digests(wish.customer.email),
            offer=offer,
            starts_at=wish.starts_at,
            state=BookingState.HELD,
            hold_expires_at__gt=now,
        )
        .first()
    )
    if hold is not None:
        hold.customer_name, hold.customer_phone = wish.customer.name, wish.customer.phone
        hold.customer_phone_hash = phone_digest(hold.customer_phone)
        hold.save(update_fields=["customer_name", "customer_phone", "customer_phone_hash"])
    return hold


def _new_hold(wish: Wish, offer: SessionOffer, consent: ConsentRecord, now: datetime) -> Booking:
    booking = draft_booking(wish=wish, offer=offer, consent=consent, state=BookingState.HELD, now=now)
    booking.hold_expires_at = now + timedelta(minutes=settings.HOLD_MINUTES)
    booking.held_from = network_digest(wish.circumstances)
    give_up_replaced_holds(booking, wish, now)
    bound_holds(booking, now=now)
    bound_free_calls(booking, now=now)
    claim_slot(booking, now=now)
    record(action="booking.held", actor="client", target=f"booking:{booking.id}", now=now)
    return booking


def give_up_replaced_holds(booking: Booking, wish: Wish, now: datetime) -> None:
    """Give up this client's own holds that the new one replaces: another format at that time, another free call.

    An order of such a hold that is paid all the same is money without a place, and is treated as that.
    """
    if wish.consent_id is None:
        return
    own = Booking.objects.filter(
        state=BookingState.HELD,
        customer_email_hash=booking.customer_email_hash,
        consent_id=wish.consent_id,
        consent_named=True,
    )
    in_the_way = own.overlapping(
        therapist_id=booking.therapist_id, starts_at=booking.starts_at, ends_at=booking.occupied_until
    )
    free = own.filter(session_type=SessionType.FREE) if booking.offer.is_free else own.none()
    for hold in (in_the_way | free).select_for_update(of=("self",)).order_by("id"):
        give_up_hold(hold, actor="client", now=now)


def _payment_for(booking: Booking, offer: SessionOffer, pay_with: str | None, now: datetime) -> Payment | None:
    if offer.is_free or pay_with is None:
        return None
    reference = str(booking.id)
    known = paid_payment_for(reference=reference) or open_payment_for(reference=reference, gateway=pay_with)
    return known or start_order(
        offer=offer, gateway=pay_with, currency=CURRENCY_OF_GATEWAY[pay_with], reference=reference, now=now
    )


def _order(booking: Booking, payment: Payment, checkout: Checkout, now: datetime) -> Payment:
    try:
        return request_order(payment=payment, title=booking.offer.title, checkout=checkout)
    except ProviderError:
        _release(booking, payment, now)
        raise


def _release(booking: Booking, payment: Payment, now: datetime) -> None:
    """Give the slot up again, unless another order for it can still be paid: a second tab's, or another gateway's."""
    if Payment.objects.filter(reference=payment.reference).exclude(id=payment.id).exists():
        return
    with suppress(NotHeld):
        release_hold(booking_id=booking.id, actor="system", now=now)
