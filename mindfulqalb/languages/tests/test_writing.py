"""Times of day in both languages."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from mindfulqalb.languages.writing import clock_span, gmt_offset

KOLKATA = ZoneInfo("Asia/Kolkata")
DASH = "\N{EN DASH}"


@pytest.mark.parametrize(
    ("hour", "minute", "english", "hindi"),
    [
        (10, 0, f"10:00 AM {DASH} 11:00 AM", f"सुबह 10:00 {DASH} 11:00 बजे"),
        (11, 30, f"11:30 AM {DASH} 12:30 PM", f"सुबह 11:30 {DASH} दोपहर 12:30 बजे"),
        (15, 30, f"3:30 PM {DASH} 4:30 PM", f"दोपहर 3:30 {DASH} शाम 4:30 बजे"),
        (18, 0, f"6:00 PM {DASH} 7:00 PM", f"शाम 6:00 {DASH} 7:00 बजे"),
        (23, 30, f"11:30 PM {DASH} 12:30 AM", f"रात 11:30 {DASH} 12:30 बजे"),
        (3, 15, f"3:15 AM {DASH} 4:15 AM", f"रात 3:15 {DASH} सुबह 4:15 बजे"),
    ],
)
def test_clock_span_is_written_as_people_say_it(hour: int, minute: int, english: str, hindi: str) -> None:
    start = datetime(2026, 12, 4, hour, minute, tzinfo=KOLKATA)
    written = []
    for language in ("en", "hi"):
        with translation.override(language):
            written.append(clock_span(start, start + timedelta(hours=1)))

    assert written == [english, hindi]


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("Asia/Kolkata", "GMT+5:30"),
        ("America/New_York", "GMT-5"),
        ("America/St_Johns", "GMT-3:30"),
        ("Europe/London", "GMT"),
        ("Pacific/Kiritimati", "GMT+14"),
    ],
)
def test_offset_is_written_as_browsers_write_it(zone: str, written: str) -> None:
    assert gmt_offset(datetime(2026, 12, 4, 12, tzinfo=ZoneInfo(zone))) == written
