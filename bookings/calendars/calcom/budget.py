"""How often Cal.com may be called: one count for the whole deployment, kept in Redis.

Over its limit Cal.com shuts a key out for a minute, for bookings too; so we stop before it does, and what nobody waits
for stops first.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from datetime import timedelta
from threading import Lock

from django.core.cache import cache
from redis.exceptions import RedisError

from bookings.calendars.base import CalendarBusy

logger = logging.getLogger(__name__)

MINUTE = 60
# Calls are counted in steps; seven steps of ten seconds hold every call of the last minute, whenever it began.
STEP = 10
STEPS = MINUTE // STEP + 1
# What nobody waits for leaves this share to those who wait.
BACKGROUND_SHARE = 0.5
# While Redis is away each process counts for itself, as one of several.
SHARE_ALONE = 0.25
ALONE_FOR = 5.0
PAUSED = "calcom:paused"


class CallBudget:
    """The right to call. Redis being away neither stops nor delays anybody."""

    def __init__(self, *, calls_per_minute: int, in_background: bool = False) -> None:
        """Take the limit of the whole deployment."""
        self._limit = int(calls_per_minute * (BACKGROUND_SHARE if in_background else 1))
        self._own_limit = max(1, int(self._limit * SHARE_ALONE))
        self._own_calls: deque[float] = deque()
        self._lock = Lock()
        self._alone_until = 0.0

    def spend(self) -> None:
        """Count one call. Raises CalendarBusy when there was one too many, or Cal.com has asked us to wait."""
        if time.monotonic() < self._alone_until:
            return self._spend_alone()
        try:
            return self._spend_together(time.time())
        except (RedisError, ValueError):  # ValueError: it was emptied between two words
            # A hung Redis costs its timeout once, not at every call.
            self._alone_until = time.monotonic() + ALONE_FOR
            logger.warning("calls to cal.com are counted by this process alone")
            return self._spend_alone()

    def pause(self, wait: timedelta | None) -> None:
        """Leave Cal.com alone, with all processes: a call in the meantime would only prolong it."""
        seconds = (wait or timedelta(0)).total_seconds()
        try:
            cache.set(PAUSED, time.time() + seconds, seconds)
        except RedisError:
            logger.warning("the other processes could not be told to leave cal.com alone")

    def _spend_together(self, moment: float) -> None:
        step = int(moment // STEP)
        steps = {_key(step - back): step - back for back in range(STEPS)}
        _count(_key(step), 1)
        stored = cache.get_many([PAUSED, *steps])
        paused_until = stored.pop(PAUSED, 0)
        if paused_until <= moment and sum(stored.values()) <= self._limit:
            return
        _count(_key(step), -1)  # it was not made
        oldest = min((steps[key] for key, calls in stored.items() if calls), default=step)
        free_at = paused_until if paused_until > moment else (oldest + STEPS) * STEP
        raise CalendarBusy("calls to cal.com are used up for now", retry_after=timedelta(seconds=free_at - moment))

    def _spend_alone(self) -> None:
        moment = time.monotonic()
        with self._lock:
            while self._own_calls and self._own_calls[0] <= moment - MINUTE:
                self._own_calls.popleft()
            if len(self._own_calls) >= self._own_limit:
                wait = timedelta(seconds=self._own_calls[0] + MINUTE - moment)
                raise CalendarBusy("this process has used up its calls to cal.com", retry_after=wait)
            self._own_calls.append(moment)


def _key(step: int) -> str:
    return f"calcom:calls:{step}"


def _count(key: str, calls: int) -> None:
    cache.add(key, 0, STEPS * STEP)
    cache.incr(key, calls)
