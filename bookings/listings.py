"""The calendar's free starts, kept for all processes: one upstream call answers for every day of the horizon.

By its age a listing is fresh; or usable: shown at once while a new one is fetched behind it; or old: shown, marked as
stale, only when the calendar does not answer soon. Then it is forgotten. A start is never invented.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from django.conf import settings

from bookings.calendars import background_calendar, calendar
from bookings.calendars.base import Calendar, CalendarBusy
from bookings.listing_marks import ListingMarks, Remembered
from mindfulqalb.vendors.errors import ProviderError

logger = logging.getLogger(__name__)

# Who has nothing to show waits for a whole call; who has something old waits as long as a page may take.
LONG_PATIENCE = 15.0
SHORT_PATIENCE = 2.0
POLL_SECONDS = 0.05
# A calendar that has failed is left alone this long; meanwhile nobody waits for it.
SILENCE = timedelta(seconds=10)
REFRESHERS = 4


@dataclass(frozen=True)
class Listing:
    """What the calendar said, and when; stale when it should have been asked again and could not."""

    fetched_at: datetime
    starts: list[datetime]
    is_stale: bool = False


@dataclass(frozen=True)
class Inquiry:
    """Somebody wants to know an event type's starts on some days; `begun` lets `now` go on while they wait."""

    event_type: str
    days: tuple[date, ...]
    now: datetime
    begun: float

    @property
    def marks(self) -> ListingMarks:
        """What is remembered about the event type."""
        return ListingMarks(self.event_type)

    def moment(self) -> datetime:
        """The present."""
        return self.now + timedelta(seconds=time.monotonic() - self.begun)


@cache
def refreshers() -> ThreadPoolExecutor:
    """The threads of this process that fetch listings behind the answers."""
    return ThreadPoolExecutor(REFRESHERS, thread_name_prefix="listings")


def listing_of(*, event_type: str, now: datetime, days: tuple[date, ...] = ()) -> Listing:
    """Return an event type's free starts from now to the booking horizon, to be read on these practice-local days.

    Nobody waits as long as something usable is known; a day that was touched since is not. When the calendar is silent
    the old answer serves for AVAILABILITY_STALE_SECONDS; then ProviderError.
    """
    if not event_type:
        msg = "no calendar event type is configured for this session"
        raise ProviderError(msg, permanent=True)
    inquiry = Inquiry(event_type, days, now, time.monotonic())
    known = _recall(inquiry)
    if known.wanted_at is None or now - known.wanted_at > timedelta(minutes=1):
        inquiry.marks.want(now)
    if _is_fresh(known, now):
        return _listing(known)
    if not _is_usable(known, now):
        known = _wait_for_newer(inquiry, known)
        return _listing(known, is_stale=not _is_good_enough(known, inquiry))
    if known.silent_until is None:
        _take_off(inquiry, known)
    return _listing(known, is_stale=known.silent_until is not None)


def distrust_listings(*event_types: str, now: datetime, days: tuple[date, ...] = ()) -> None:
    """Have the calendar asked anew for these practice-local days, or for all: something has changed there."""
    for event_type in event_types:
        if event_type:
            ListingMarks(event_type).touch(days, now)


def refill_listings(*event_types: str, now: datetime) -> int:
    """Fetch the listings that people look at before they grow old, and those that were touched; return how many."""
    fetched = 0
    for event_type in event_types:
        inquiry = Inquiry(event_type, (), now, time.monotonic())
        if not _is_due(_recall(inquiry), now) or not inquiry.marks.take_off():
            continue
        if not _fetch(inquiry, background_calendar()):
            break  # what one heard, the others would hear too
        fetched += 1
    return fetched


def _is_due(known: Remembered, now: datetime) -> bool:
    if known.wanted_at is None or known.silent_until is not None:
        return False
    if known.fetched_at is None or known.is_touched_anywhere:
        return True
    # It must not grow old before the next time that we look.
    return _age(known, now) >= _seconds(settings.AVAILABILITY_FRESH_SECONDS - settings.AVAILABILITY_REFILL_SECONDS)


def _is_fresh(known: Remembered, now: datetime) -> bool:
    return not known.is_touched and _age(known, now) < _seconds(settings.AVAILABILITY_FRESH_SECONDS)


def _is_usable(known: Remembered, now: datetime) -> bool:
    return not known.is_touched and _age(known, now) < _seconds(settings.AVAILABILITY_USABLE_SECONDS)


def _is_good_enough(known: Remembered, inquiry: Inquiry) -> bool:
    """Whether it will do for this inquiry: asked after it came, whatever has changed since; two clocks may differ."""
    return _is_usable(known, inquiry.now) or (known.fetched_at is not None and known.fetched_at >= inquiry.now)


def _age(known: Remembered, now: datetime) -> timedelta:
    return now - known.fetched_at if known.fetched_at else timedelta.max


def _seconds(value: int) -> timedelta:
    return timedelta(seconds=value)


def _listing(known: Remembered, *, is_stale: bool = False) -> Listing:
    if known.fetched_at is None or known.starts is None:
        wait = known.silent_until - datetime.now(UTC) if known.silent_until else SILENCE
        raise ProviderError("cal.com does not answer", permanent=False, retry_after=max(wait, timedelta(seconds=1)))
    return Listing(known.fetched_at, known.starts, is_stale)


def _wait_for_newer(inquiry: Inquiry, known: Remembered) -> Remembered:
    """Wait until somebody, perhaps we ourselves, has brought a new listing; who waits in vain gets what there is."""
    ends = time.monotonic() + (SHORT_PATIENCE if known.starts is not None else LONG_PATIENCE)
    while known.silent_until is None and not _is_good_enough(known, inquiry) and time.monotonic() < ends:
        if not _take_off(inquiry, known, wait_until=ends):
            time.sleep(POLL_SECONDS)
        known = _recall(inquiry)
    return known


def _recall(inquiry: Inquiry) -> Remembered:
    known = ListingMarks(inquiry.event_type).recall(inquiry.days)
    return known if _age(known, inquiry.now) < _seconds(settings.AVAILABILITY_STALE_SECONDS) else known.without_starts()


def _take_off(inquiry: Inquiry, known: Remembered, *, wait_until: float | None = None) -> bool:
    """Fetch in a thread, unless somebody is fetching; tell whether we did. The call goes on when nobody waits."""
    if not inquiry.marks.take_off():
        return False
    if _recall(inquiry).differs_from(known):  # somebody has landed since we looked
        inquiry.marks.land()
        return False
    flight = refreshers().submit(_fetch, inquiry, calendar())
    if wait_until is not None:
        try:
            flight.result(timeout=max(0.0, wait_until - time.monotonic()))
        except Overdue:
            logger.warning("cal.com takes its time over the free times")
    return True


def _fetch(inquiry: Inquiry, asked: Calendar) -> bool:
    """Ask, write down the answer or the silence, and end the flight."""
    fetched_at = inquiry.moment()
    end = fetched_at + timedelta(days=settings.BOOKING_HORIZON_DAYS)
    try:
        starts = asked.free_slots(event_type=inquiry.event_type, start=fetched_at, end=end)
        inquiry.marks.write(fetched_at, starts)
    except ProviderError as error:
        logger.warning("free times of event type %s: %s", inquiry.event_type, error)
        # Our own background share being used up says nothing about those who may still ask.
        if not (isinstance(error, CalendarBusy) and asked is background_calendar()):
            inquiry.marks.fall_silent(error.retry_after or SILENCE)
        return False
    finally:
        inquiry.marks.land()
    return True
