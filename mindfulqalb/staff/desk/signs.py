"""Signs of life of what is done again and again: when it was last done, and whether that is long enough ago to look."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min

from mindfulqalb.staff.desk.items import Sign, ago

if TYPE_CHECKING:
    from datetime import datetime, timedelta

NEVER = "Never yet"
NEW_HERE = "Not yet: this installation is new"


@dataclass(frozen=True)
class Round:
    """Something that is done again within a span, and where to look closer when it is not."""

    title: str
    within: timedelta
    url: str

    def sign(self, last: datetime | None, *, now: datetime, found: str = "", is_trouble: bool = False) -> Sign:
        """Tell when it was last done, and what it found.

        What was never done alarms only where it should have been: not before an installation is as old as the span.
        """
        if last is None:
            is_new = _is_younger_than(self.within, now)
            return Sign(self.title, NEW_HERE if is_new else NEVER, is_new, self.url)
        text = f"{ago((now - last).total_seconds())} ago" + (f", {found}" if found else "")
        return Sign(self.title, text, not is_trouble and now - last < self.within, self.url)


def _is_younger_than(span: timedelta, now: datetime) -> bool:
    begun = installed_at(connection.settings_dict["NAME"])
    return begun is None or now - begun < span


@cache
def installed_at(database: str) -> datetime | None:
    """Tell when the first tables of this installation were made; that changes no more, so a process asks once."""
    begun: datetime | None = MigrationRecorder.Migration.objects.aggregate(begun=Min("applied"))["begun"]
    return begun
