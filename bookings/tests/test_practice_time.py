from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import pytest

from bookings.practice_time import clock_text, day_bounds, instant_of, local

if TYPE_CHECKING:
    from pytest_django import Settings


def test_instant_of_reads_the_practices_clock() -> None:
    assert instant_of(date(2026, 12, 4), time(10, 0)) == datetime(2026, 12, 4, 4, 30, tzinfo=UTC)


def test_day_bounds_span_the_local_day() -> None:
    assert day_bounds(date(2026, 12, 4)) == (
        datetime(2026, 12, 3, 18, 30, tzinfo=UTC),
        datetime(2026, 12, 4, 18, 30, tzinfo=UTC),
    )


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 6, 1), 24)])
def test_day_bounds_follow_daylight_saving(settings: Settings, day: date, hours: int) -> None:
    settings.PRACTICE_TIME_ZONE = "America/New_York"

    start, end = day_bounds(day)

    assert (end - start).total_seconds() == hours * 3600


@pytest.mark.parametrize(
    ("clock", "text"),
    [
        (time(10, 0), "10:00 AM"),
        (time(14, 0), "2:00 PM"),
        (time(0, 0), "12:00 AM"),
        (time(12, 30), "12:30 PM"),
        (time(23, 30), "11:30 PM"),
    ],
)
def test_clock_text_is_written_as_the_specification_does(clock: time, text: str) -> None:
    assert clock_text(instant_of(date(2026, 12, 4), clock)) == text


def test_local_keeps_the_instant() -> None:
    instant = datetime(2026, 12, 4, 4, 30, tzinfo=UTC)

    assert (local(instant), local(instant).hour) == (instant, 10)
