"""How often Cal.com may be called: one count for the whole deployment.

Over its limit Cal.com shuts a key out for a minute, for bookings too; so we stop before it does, and what nobody waits
for stops first.
"""

from __future__ import annotations

import time
from datetime import timedelta

from bookings.calendars.base import CalendarBusy
from bookings.shared_memory import shared_memory

# Calls are counted in steps; seven steps of ten seconds hold every call of the last minute, whenever it began.
STEP = 10
STEPS = 60 // STEP + 1
# What may be used up by whom: bookings all of it; looking for times leaves some to them, and the background to both.
EVERYTHING, FOR_LISTINGS, IN_BACKGROUND = 1.0, 0.75, 0.5
# While Redis is away each process counts for itself, as one of several.
ALONE = 0.25
PAUSED = "calcom:paused"


class CallBudget:
    """The right to call. Redis being away neither stops nor delays anybody."""

    def __init__(self, *, calls_per_minute: int) -> None:
        """Take the limit of the whole deployment."""
        self._calls_per_minute = calls_per_minute

    def spend(self, *, share: float = EVERYTHING) -> None:
        """Count one call. Raises CalendarBusy when this share is used up, or Cal.com has asked us to wait."""
        memory, moment = shared_memory(), time.time()
        step = int(moment // STEP)
        steps = {_name(step - back): step - back for back in range(STEPS)}
        # Counted before it is judged: two who ask at once must not both find the last place free.
        memory.count(_name(step), 1, seconds=STEPS * STEP)
        stored = memory.recall([PAUSED, *steps])
        paused_until = stored.pop(PAUSED, 0)
        if paused_until <= moment and sum(stored.values()) <= self._limit(share):
            return
        memory.count(_name(step), -1, seconds=STEPS * STEP)
        oldest = min((steps[name] for name, calls in stored.items() if calls), default=step)
        free_at = paused_until if paused_until > moment else (oldest + STEPS) * STEP
        raise CalendarBusy("calls to cal.com are used up for now", retry_after=timedelta(seconds=free_at - moment))

    def pause(self, wait: timedelta | None) -> None:
        """Leave Cal.com alone, with all processes: a call in the meantime would only prolong it."""
        seconds = (wait or timedelta(0)).total_seconds()
        shared_memory().keep(PAUSED, time.time() + seconds, seconds=seconds)

    def _limit(self, share: float) -> int:
        mine = self._calls_per_minute * share * (ALONE if shared_memory().is_alone else 1)
        return max(int(mine), min(1, self._calls_per_minute))


def _name(step: int) -> str:
    return f"calcom:calls:{step}"
