"""Which times a client can book: the calendar's free slots less what we have sold ourselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bookings.listings import listing_of
from bookings.models import Booking
from bookings.practice_time import day_bounds, local
from bookings.refusals import SlotNotOffered, SlotTaken
from bookings.states import BookingState
from mindfulqalb.catalogue.queries import event_type_of

if TYPE_CHECKING:
    from mindfulqalb.catalogue.models import SessionOffer


@dataclass(frozen=True)
class Slot:
    """A time on the list; taken ones are shown as such."""

    starts_at: datetime
    is_available: bool


@dataclass(frozen=True)
class Day:
    """The slots of one practice-local day, in order."""

    slots: list[Slot]
    is_stale: bool


def day_of(*, offer: SessionOffer, day: date, now: datetime) -> Day:
    """List a day's slots without those that have passed.

    Raises ProviderError when the calendar is silent and nothing is known.
    """
    start, end = day_bounds(day)
    listing = listing_of(event_type=event_type_of(offer), now=now)
    free = {instant for instant in listing.starts if max(start, now) <= instant < end}
    taken = _taken(offer, start, end, now)
    length = timedelta(minutes=offer.duration_minutes)
    # A session that we have sold stays on the list as taken although the calendar names it no more.
    known = free | {begin for begin, _ in taken if max(start, now) <= begin < end}
    return Day(
        slots=[Slot(instant, instant in free and not _overlaps(instant, length, taken)) for instant in sorted(known)],
        is_stale=listing.is_stale,
    )


def require_offered(*, offer: SessionOffer, starts_at: datetime, now: datetime) -> None:
    """Refuse a time that is not on the list, before anybody pays for it. Raises SlotNotOffered or SlotTaken.

    The client's own live hold counts as taken here by nobody: overlap with our rows is decided under the therapist's
    lock.
    """
    listing = listing_of(event_type=event_type_of(offer), now=now)
    if starts_at in listing.starts:
        return
    day = day_of(offer=offer, day=local(starts_at).date(), now=now)
    if any(slot.starts_at == starts_at for slot in day.slots):
        raise SlotTaken(fields={"time": ["This time is taken."]})
    raise SlotNotOffered(fields={"time": ["This time is not on offer."]})


def _taken(offer: SessionOffer, start: datetime, end: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    rows = Booking.objects.occupying().overlapping(
        therapist_id=offer.therapist_id, starts_at=start, ends_at=end + timedelta(minutes=offer.duration_minutes)
    )
    overdue = {"state": BookingState.HELD, "hold_expires_at__lte": now}
    return list(rows.exclude(**overdue).values_list("starts_at", "ends_at"))


def _overlaps(instant: datetime, length: timedelta, taken: list[tuple[datetime, datetime]]) -> bool:
    return any(begin < instant + length and instant < end for begin, end in taken)
