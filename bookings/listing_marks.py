"""What is remembered about one event type's listing: the starts, who is fetching, what was touched, who looked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from bookings.shared_memory import shared_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

# Longer than the longest call: connecting, reading, and once more on a connection that was closed.
FLIGHT_SECONDS = 30
# How long after the last look a listing is kept warm.
WANTED_SECONDS = 15 * 60


@dataclass(frozen=True)
class Remembered:
    """What is known of a listing; `is_touched` speaks of the days that were asked about."""

    fetched_at: datetime | None
    starts: list[datetime] | None
    is_touched: bool
    is_touched_anywhere: bool
    wanted_at: datetime | None
    silent_until: datetime | None

    def differs_from(self, earlier: Remembered) -> bool:
        """Whether somebody has asked the calendar in between."""
        return (self.fetched_at, self.silent_until) != (earlier.fetched_at, earlier.silent_until)

    def without_starts(self) -> Remembered:
        """The same without what is too old to be shown at all."""
        return replace(self, fetched_at=None, starts=None, is_touched=False)


class ListingMarks:
    """The names under which it is remembered."""

    def __init__(self, event_type: str) -> None:
        """Speak of one event type."""
        self._content = f"listing:{event_type}"
        self._flight = f"listing:{event_type}:flight"
        self._wanted = f"listing:{event_type}:wanted"
        self._silent = f"listing:{event_type}:silent"
        self._touched_somewhere = f"listing:{event_type}:touched"
        self._touched_everywhere = f"listing:{event_type}:touched:all"

    def recall(self, days: Iterable[date]) -> Remembered:
        """Return all that is known, in one question."""
        touched = [self._touched_everywhere, *map(self._touched, days)]
        stored = shared_memory().recall([self._content, self._wanted, self._silent, self._touched_somewhere, *touched])
        fetched_at, starts = stored.get(self._content, (None, None))
        # Asked before the change: whatever it says may be the world of yesterday.
        is_older = {
            name: fetched_at is not None and fetched_at <= at for name, at in stored.items() if "touched" in name
        }
        return Remembered(
            fetched_at=_instant(fetched_at),
            starts=None if starts is None else [datetime.fromtimestamp(stamp, UTC) for stamp in starts],
            is_touched=any(is_older.get(name) for name in touched),
            is_touched_anywhere=any(is_older.values()),
            wanted_at=_instant(stored.get(self._wanted)),
            silent_until=_instant(stored.get(self._silent)),
        )

    def write(self, fetched_at: datetime, starts: list[datetime]) -> None:
        """Remember what the calendar said."""
        content = (fetched_at.timestamp(), [int(instant.timestamp()) for instant in starts])
        shared_memory().keep(self._content, content, seconds=settings.AVAILABILITY_STALE_SECONDS)

    def touch(self, days: Iterable[date], now: datetime) -> None:
        """Remember that what was said before about these days, or about all, is not to be trusted."""
        names = [self._touched(day) for day in days] or [self._touched_everywhere]
        marks = dict.fromkeys([*names, self._touched_somewhere], now.timestamp())
        shared_memory().keep_all(marks, seconds=settings.AVAILABILITY_STALE_SECONDS)

    def want(self, now: datetime) -> None:
        """Remember that somebody looked."""
        shared_memory().keep(self._wanted, now.timestamp(), seconds=WANTED_SECONDS)

    def fall_silent(self, wait: timedelta) -> None:
        """Remember that the calendar does not answer; let nobody ask or wait for a while."""
        seconds = wait.total_seconds()
        until = datetime.now(UTC).timestamp() + seconds
        shared_memory().keep(self._silent, until, seconds=seconds)

    def take_off(self) -> bool:
        """Become the one who asks; tell whether nobody else is."""
        return shared_memory().keep_first(self._flight, 1, seconds=FLIGHT_SECONDS)

    def land(self) -> None:
        """Let others ask again."""
        shared_memory().forget(self._flight)

    def _touched(self, day: date) -> str:
        return f"{self._touched_somewhere}:{day.isoformat()}"


def _instant(stamp: float | None) -> datetime | None:
    return None if stamp is None else datetime.fromtimestamp(stamp, UTC)
