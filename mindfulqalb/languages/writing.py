"""Times of day as people write them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import translation

if TYPE_CHECKING:
    from datetime import datetime

# Hindi says which part of the day is meant, and browsers do the same: each part with the hour at which it ends.
HINDI_PARTS = ((4, "रात"), (12, "सुबह"), (16, "दोपहर"), (20, "शाम"), (24, "रात"))


def clock_span(start: datetime, end: datetime) -> str:
    """Write from when to when, on the clock that both moments show: in English with AM and PM."""
    if translation.get_language() != "hi":
        return f"{_clock(start)} {start:%p} \N{EN DASH} {_clock(end)} {end:%p}"
    first, last = _hindi_part(start), _hindi_part(end)
    return f"{first} {_clock(start)} \N{EN DASH} {'' if last == first else f'{last} '}{_clock(end)} बजे"


def time_of_day(moment: datetime) -> str:
    """Write one time."""
    if translation.get_language() != "hi":
        return f"{_clock(moment)} {moment:%p}"
    return f"{_hindi_part(moment)} {_clock(moment)} बजे"


def gmt_offset(moment: datetime) -> str:
    """Write how far its clock is from Greenwich's, as browsers do: `GMT+5:30`, `GMT-5`, `GMT`."""
    offset = moment.utcoffset()
    if not offset:
        return "GMT"
    hours, minutes = divmod(abs(offset) // timedelta(minutes=1), 60)
    return f"GMT{'-' if offset < timedelta(0) else '+'}{hours}{f':{minutes:02}' if minutes else ''}"


def _clock(moment: datetime) -> str:
    return f"{moment:%I:%M}".lstrip("0")


def _hindi_part(moment: datetime) -> str:
    return next(name for ends, name in HINDI_PARTS if moment.hour < ends)
