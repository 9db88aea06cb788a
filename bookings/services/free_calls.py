"""One open free call for each person; nobody else hears when it is, nor without a trace that there is one."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from bookings.availability import require_offered
from bookings.models import Booking
from bookings.refusals import FreeCallAlreadyBooked
from bookings.services.bounds import bound_free_calls, network_digest
from bookings.services.drafts import draft_booking
from bookings.slots import clear_slot, give_up_hold
from bookings.states import BookingState
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import record
from mindfulqalb.catalogue.models import SessionType
from mindfulqalb.encryption.blind_index import email_digests
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.models import BookingQuerySet
    from bookings.wishes import Wish
    from consent.models import ConsentRecord
    from mindfulqalb.catalogue.models import SessionOffer

# A browser that got no answer asks again within minutes, and from where it was.
ASKED_AGAIN_WITHIN = timedelta(minutes=10)
WRITTEN_TO_ONCE_IN = timedelta(hours=1)


def call_asked_for_before(wish: Wish, *, now: datetime) -> Booking | None:
    """Find the open free call that an equal request made before.

    Raises FreeCallAlreadyBooked for another time, where the wish proves that the open call is its sender's. Where it
    does not, there is none for them, but what their network has asked for just now.
    """
    call = Booking.objects.open_free_calls(wish.customer.email).first()
    if call is None:
        return None
    is_same = call.starts_at == wish.starts_at
    if wish.proves(call) and not is_same:
        raise FreeCallAlreadyBooked
    return call if is_same and (wish.proves(call) or _was_just_asked_for(call, wish, now)) else None


def require_offered_call(wish: Wish, offer: SessionOffer, *, now: datetime) -> None:
    """Refuse a time that the calendar does not list, for everybody alike. Raises SlotNotOffered or SlotTaken.

    Left to the calendar itself, it would be refused only to those who have no call yet. A silent calendar stops nobody.
    """
    if any(hold.starts_at == wish.starts_at for hold in own_holds(wish)):
        return
    with suppress(ProviderError):
        require_offered(offer=offer, starts_at=wish.starts_at, now=now)


def own_holds(wish: Wish) -> list[Booking]:
    """List the free calls that are kept for the wish's sender, as far as they prove it."""
    return [hold for hold in _holds(wish) if wish.proves(hold)]


def locked_own_hold(wish: Wish) -> Booking | None:
    """Find one of them, and lock it."""
    holds = _holds(wish).select_for_update(of=("self",)).order_by("created_at")
    return next((hold for hold in holds if wish.proves(hold)), None)


def answer_for_another(
    wish: Wish, offer: SessionOffer, consent: ConsentRecord, hold: Booking | None, now: datetime
) -> Booking | None:
    """Find the open call of the email's owner, for a wish that does not prove to be theirs, and have them written to.

    None where they have none. Whatever would refuse them then refuses now. Call it under the therapist's lock.
    """
    call = Booking.objects.open_free_calls(wish.customer.email).first()
    if call is None:
        return None
    wanted = hold or draft_booking(wish=wish, offer=offer, consent=consent, state=BookingState.PENDING, now=now)
    wanted.held_from = network_digest(wish.circumstances)
    bound_free_calls(wanted, now=now)
    clear_slot(wanted, now=now)
    if hold is not None:
        give_up_hold(hold, actor="client", now=now)
    _write_to_owner(call, now)
    return call


def _holds(wish: Wish) -> BookingQuerySet:
    digests = email_digests(wish.customer.email)
    return Booking.objects.filter(
        session_type=SessionType.FREE, state=BookingState.HELD, held_for=None, customer_email_hash__in=digests
    )


def _was_just_asked_for(call: Booking, wish: Wish, now: datetime) -> bool:
    if call.created_at is None or now - call.created_at > ASKED_AGAIN_WITHIN:
        return False
    return call.held_from == network_digest(wish.circumstances)


def _write_to_owner(call: Booking, now: datetime) -> None:
    """Mail the confirmation once more: it says when the call is, and has its links; one in the making comes anyway."""
    target, action = f"booking:{call.id}", "booking.asked_again"
    told = AuditEvent.objects.filter(target=target, action=action, occurred_at__gt=now - WRITTEN_TO_ONCE_IN)
    if call.state != BookingState.CONFIRMED or told.exists():
        return
    record(action=action, actor="client", target=target, now=now)
    enqueue(topic="email.confirmation", lane=call.lane, payload={"booking_id": str(call.id)}, now=now)
