"""From which day to which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Q

from mindfulqalb.api.errors import InvalidInput
from mindfulqalb.audit.digests import plain
from mindfulqalb.practice_clock import NAMEABLE_YEARS, practice_zone


@dataclass(frozen=True)
class Period:
    """Whole days of practice time, both included; None is open."""

    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        """Refuse a period that no clock can tell, or that ends before it begins. Raises InvalidInput."""
        days = {"since": self.since, "until": self.until}
        if odd := {name: day for name, day in days.items() if day and day.year not in NAMEABLE_YEARS}:
            raise InvalidInput(fields={name: [f"There is no record of {day}."] for name, day in odd.items()})
        if self.since and self.until and self.since > self.until:
            raise InvalidInput(fields={"since": [f"{self.since} is later than until, {self.until}."]})

    def of(self, column: str) -> Q:
        """Return the condition that a time lies in it."""
        condition = Q()
        if self.since:
            condition &= Q(**{f"{column}__gte": _midnight(self.since)})
        if self.until:
            condition &= Q(**{f"{column}__lt": _midnight(self.until + timedelta(days=1))})
        return condition

    def described(self) -> dict[str, str]:
        """Name what is set."""
        days = {"since": self.since, "until": self.until}
        return {name: day.isoformat() for name, day in days.items() if day}

    def bounds(self) -> dict[str, str]:
        """Spell its first moment, and the first one after it, as heads spell theirs; empty is open."""
        begin = plain(_midnight(self.since)) if self.since else ""
        return {"from": begin, "before": plain(_midnight(self.until + timedelta(days=1))) if self.until else ""}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=practice_zone())
