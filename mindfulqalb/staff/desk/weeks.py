"""The weeks that charts show, on the practice's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models.functions import TruncWeek

from mindfulqalb.practice_clock import practice_zone

SHOWN = 8


@dataclass(frozen=True)
class Weeks:
    """The last eight weeks, the running one included, by their Mondays."""

    mondays: tuple[date, ...]

    @classmethod
    def until(cls, now: datetime) -> Weeks:
        """Take those that end with the week of `now`."""
        today = now.astimezone(practice_zone()).date()
        this = today - timedelta(days=today.weekday())
        return cls(tuple(this - timedelta(weeks=SHOWN - 1 - number) for number in range(SHOWN)))

    @property
    def begin(self) -> datetime:
        """The first moment of the first week."""
        return _midnight(self.mondays[0])

    @property
    def end(self) -> datetime:
        """The first moment after the last week."""
        return _midnight(self.mondays[-1] + timedelta(weeks=1))

    @staticmethod
    def of(column: str) -> TruncWeek:
        """The Monday of a moment, for the database to group by."""
        return TruncWeek(column, tzinfo=practice_zone())

    def figures(self, found: dict[datetime, Any], otherwise: Any) -> list[tuple[str, Any]]:
        """Name every week, with what was found for it."""
        by_day = {moment.astimezone(practice_zone()).date(): value for moment, value in found.items()}
        return [(f"{monday.day} {monday:%b}", by_day.get(monday, otherwise)) for monday in self.mondays]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=practice_zone()).astimezone(UTC)
