"""Between the practice's clock on the wall and instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mindfulqalb.practice_clock import practice_zone


def zone_named(name: str) -> ZoneInfo:
    """A client's time zone by its name; the practice's where none is known, or none is known any more."""
    try:
        return ZoneInfo(name) if name else practice_zone()
    except (KeyError, ValueError):
        return practice_zone()


def instant_of(day: date, clock: time) -> datetime:
    """The instant of a practice-local day and time, in UTC."""
    return datetime.combine(day, clock, tzinfo=practice_zone()).astimezone(UTC)


def day_bounds(day: date, zone: ZoneInfo | None = None) -> tuple[datetime, datetime]:
    """The first instant of a local day, and of the next one; on days when clocks change it has 23 or 25 hours."""
    return _midnight(day, zone), _midnight(day + timedelta(days=1), zone)


def local(instant: datetime) -> datetime:
    """An instant on the practice's clock."""
    return instant.astimezone(practice_zone())


def days_between(start: datetime, end: datetime) -> tuple[date, ...]:
    """The practice-local days that the span [start, end) touches."""
    first, last = local(start).date(), local(max(start, end - timedelta(microseconds=1))).date()
    return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))


def can_be_named(instant: datetime) -> bool:
    """Whether practice-local date and time lead back to it: of an hour that comes twice, only the first one does."""
    wall = local(instant)
    return instant_of(wall.date(), wall.time().replace(fold=0)) == instant


def is_on_the_clock(day: date, clock: time) -> bool:
    """Whether the practice's clock ever shows it: when clocks go forward, an hour is left out."""
    wall = local(instant_of(day, clock))
    return (wall.date(), wall.time()) == (day, clock)


def clock_text(instant: datetime, zone: ZoneInfo | None = None) -> str:
    """The specification's way to write a time of day: `10:00 AM`, `2:00 PM`; on the practice's clock or another."""
    return written_clock(instant.astimezone(zone or practice_zone()))


def written_clock(moment: datetime) -> str:
    """The same of a moment on the clock that it is on."""
    return f"{moment:%I:%M %p}".lstrip("0")


def _midnight(day: date, zone: ZoneInfo | None) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone or practice_zone()).astimezone(UTC)
