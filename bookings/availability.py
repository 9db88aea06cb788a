"""Which times a client can book: the calendar's free slots less what we have sold ourselves."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from bookings.listings import listing_of
from bookings.practice_time import can_be_named, day_bounds, days_between, local
from bookings.refusals import SlotNotOffered, SlotTaken
from bookings.states import OCCUPYING
from mindfulqalb.catalogue.queries import event_type_of
from mindfulqalb.practice_clock import practice_zone

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mindfulqalb.catalogue.models import SessionOffer


# Written out, because every look at a day asks it: the ORM takes longer to write it than PostgreSQL to answer.
SOLD = """
SELECT starts_at, ends_at + buffer_minutes * INTERVAL '1 minute'
FROM bookings
WHERE therapist_id = %(therapist)s
  AND state = ANY(%(occupying)s)
  AND starts_at > %(from)s AND starts_at < %(end)s
  AND ends_at + buffer_minutes * INTERVAL '1 minute' > %(start)s
  AND NOT (state = 'HELD' AND hold_expires_at <= %(now)s)
ORDER BY starts_at
"""
# With its buffer; so that the past is not read through.
LONGEST_SESSION = timedelta(days=1)


@dataclass(frozen=True)
class Slot:
    """A time on the list; taken ones are shown as such."""

    starts_at: datetime
    is_available: bool


@dataclass(frozen=True)
class FreeDay:
    """A local day on which something is free, and how much."""

    date: date
    free: int


@dataclass(frozen=True)
class Availability:
    """The slots of one local day, and the days of one month that have free ones, both in order."""

    slots: list[Slot]
    days: list[FreeDay]
    is_stale: bool


def availability_of(
    *, offer: SessionOffer, day: date | None, month: date | None, zone: ZoneInfo, now: datetime
) -> Availability:
    """Answer for a day, for the month that begins on a day, or for both, as they are in this zone.

    Raises ProviderError when the calendar is silent and nothing is known.
    """
    slots, day_is_stale = _slots_of(offer, day, day, zone, now) if day else ([], False)
    last = month.replace(day=monthrange(month.year, month.month)[1]) if month else None
    in_month, month_is_stale = _slots_of(offer, month, last, zone, now) if month and last else ([], False)
    free = [slot.starts_at.astimezone(zone).date() for slot in in_month if slot.is_available]
    days = [FreeDay(date, len(list(slots))) for date, slots in groupby(free)]
    return Availability(slots, days, day_is_stale or month_is_stale)


def free_times(*, offer: SessionOffer, now: datetime) -> list[datetime]:
    """List every time that can be booked from now to the booking horizon, in order.

    Raises ProviderError when the calendar is silent and nothing is known.
    """
    today = local(now).date()
    last = today + timedelta(days=settings.BOOKING_HORIZON_DAYS)
    slots, _ = _slots_of(offer, today, last, practice_zone(), now)
    return [slot.starts_at for slot in slots if slot.is_available]


def require_offered(*, offer: SessionOffer, starts_at: datetime, now: datetime) -> None:
    """Refuse a time that is not on the list, before anybody pays for it. Raises SlotNotOffered or SlotTaken.

    The client's own live hold counts as taken here by nobody: overlap with our rows is decided under the therapist's
    lock.
    """
    day = local(starts_at).date()
    listing = listing_of(event_type=event_type_of(offer), now=now, days=(day,))
    if starts_at in listing.starts:
        return
    slots, _ = _slots_of(offer, day, day, practice_zone(), now)
    if any(slot.starts_at == starts_at for slot in slots):
        raise SlotTaken(fields={"time": ["This time is taken."]})
    raise SlotNotOffered(fields={"time": ["This time is not on offer."]})


def _slots_of(offer: SessionOffer, first: date, last: date, zone: ZoneInfo, now: datetime) -> tuple[list[Slot], bool]:
    """List the slots of some local days without those that have passed, and say whether they are stale."""
    if not _is_in_reach(first, last, now):
        return [], False
    (start, _), (_, end) = day_bounds(first, zone), day_bounds(last, zone)
    listing = listing_of(event_type=event_type_of(offer), now=now, days=days_between(start, end))
    begun = bisect_left(listing.starts, max(start, now))
    offered = {instant for instant in listing.starts[begun : bisect_left(listing.starts, end)] if can_be_named(instant)}
    sold = _sold(offer, start, end, now)
    length = timedelta(minutes=offer.duration_minutes + offer.buffer_minutes)
    # A session that we have sold stays on the list as taken although the calendar names it no more.
    known = offered | {begin for begin, _ in sold if max(start, now) <= begin < end}
    slots = [Slot(instant, instant in offered and not _overlaps(instant, length, sold)) for instant in sorted(known)]
    return slots, listing.is_stale


def _is_in_reach(first: date, last: date, now: datetime) -> bool:
    """Whether any of these days, in whatever zone, lies between now and the horizon; else nobody need be asked."""
    today, day = local(now).date(), timedelta(days=1)
    return first <= today + timedelta(days=settings.BOOKING_HORIZON_DAYS) + day and last >= today - day


def _sold(offer: SessionOffer, start: datetime, end: datetime, now: datetime) -> list[tuple[datetime, datetime]]:
    """List the spans that we have sold, buffers included, in order; no two of a therapist's overlap."""
    longest = timedelta(minutes=offer.duration_minutes + offer.buffer_minutes)
    span = {"from": start - LONGEST_SESSION, "start": start, "end": end + longest, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(SOLD, span | {"therapist": offer.therapist_id, "occupying": list(OCCUPYING)})
        rows: list[tuple[datetime, datetime]] = cursor.fetchall()
    return rows


def _overlaps(instant: datetime, length: timedelta, sold: list[tuple[datetime, datetime]]) -> bool:
    following = bisect_right(sold, instant, key=itemgetter(1))
    return following < len(sold) and sold[following][0] < instant + length
