"""The calendar's free slots, kept in Redis: one upstream call answers for every day and every process."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from bookings.calendars import calendar
from mindfulqalb.vendors.errors import ProviderError

logger = logging.getLogger(__name__)

FLIGHT_SECONDS = 15
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Listing:
    """What the calendar said, and when; stale when it should have been asked again and could not."""

    fetched_at: datetime
    starts: list[datetime]
    is_stale: bool = False


def listing_of(*, event_type: str, now: datetime) -> Listing:
    """Return an event type's free starts from now to the booking horizon.

    Fresh from the cache; else one caller asks while the others take the old answer, or wait where there is none. When
    the calendar is silent the old answer serves for AVAILABILITY_STALE_SECONDS; then ProviderError. A slot is never
    invented.
    """
    known = _read(event_type)
    if known and not known.is_stale and now - known.fetched_at < timedelta(seconds=settings.AVAILABILITY_FRESH_SECONDS):
        return known
    if not _take_off(event_type):
        return known or _await_landing(event_type, now)
    try:
        return _fetch(event_type, now)
    except ProviderError:
        if known is None:
            raise
        return replace(known, is_stale=True)
    finally:
        _land(event_type)


def distrust_listings(*event_types: str, now: datetime) -> None:
    """Have the calendar asked anew: something has changed there. Until it answers, the old answer stays."""
    marks = {_changed(event_type): now.timestamp() for event_type in event_types if event_type}
    try:
        cache.set_many(marks, settings.AVAILABILITY_STALE_SECONDS)
    except RedisError:
        logger.warning("listings could not be marked; they grow old by themselves")


def _fetch(event_type: str, now: datetime) -> Listing:
    if not event_type:
        msg = "no calendar event type is configured for this session"
        raise ProviderError(msg, permanent=True)
    end = now + timedelta(days=settings.BOOKING_HORIZON_DAYS)
    listing = Listing(now, calendar().free_slots(event_type=event_type, start=now, end=end))
    _write(event_type, listing)
    return listing


def _await_landing(event_type: str, now: datetime) -> Listing:
    deadline = time.monotonic() + FLIGHT_SECONDS
    while time.monotonic() < deadline and _in_flight(event_type):
        time.sleep(POLL_SECONDS)
    return _read(event_type) or _fetch(event_type, now)


def _key(event_type: str) -> str:
    return f"slots:{event_type}"


def _changed(event_type: str) -> str:
    return f"slots:{event_type}:changed"


def _flight(event_type: str) -> str:
    return f"slots:{event_type}:flight"


def _read(event_type: str) -> Listing | None:
    try:
        stored: dict[str, Any] = cache.get_many([_key(event_type), _changed(event_type)])
    except RedisError:
        return None
    if _key(event_type) not in stored:
        return None
    content = json.loads(stored[_key(event_type)])
    starts = [datetime.fromtimestamp(stamp, UTC) for stamp in content["starts"]]
    # Asked before the change: whatever it says may be the world of yesterday.
    is_stale = content["fetched_at"] <= stored.get(_changed(event_type), 0)
    return Listing(datetime.fromtimestamp(content["fetched_at"], UTC), starts, is_stale)


def _write(event_type: str, listing: Listing) -> None:
    content = {
        "fetched_at": listing.fetched_at.timestamp(),
        "starts": [int(instant.timestamp()) for instant in listing.starts],
    }
    try:
        cache.set(_key(event_type), json.dumps(content), settings.AVAILABILITY_STALE_SECONDS)
    except RedisError:
        logger.warning("listing could not be cached")


def _take_off(event_type: str) -> bool:
    """Become the one who asks. Without Redis everybody asks: slower, and right."""
    try:
        return bool(cache.add(_flight(event_type), 1, FLIGHT_SECONDS))
    except RedisError:
        return True


def _in_flight(event_type: str) -> bool:
    try:
        return cache.get(_flight(event_type)) is not None
    except RedisError:
        return False


def _land(event_type: str) -> None:
    try:
        cache.delete(_flight(event_type))
    except RedisError:
        logger.warning("flight could not be ended; it ends by itself")
