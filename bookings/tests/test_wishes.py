from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from bookings.refusals import SlotNotOffered
from bookings.tests.builders import NOW, make_wish
from bookings.wishes import require_bookable_time

if TYPE_CHECKING:
    from pytest_django import Settings


def test_wish_means_the_practices_clock(settings: Settings) -> None:
    wish = make_wish(day=date(2026, 12, 4), clock=time(0, 0))
    there = wish.starts_at
    settings.PRACTICE_TIME_ZONE = "Pacific/Kiritimati"

    assert (there, wish.starts_at) == (
        datetime(2026, 12, 3, 18, 30, tzinfo=UTC),
        datetime(2026, 12, 3, 10, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize("ahead", [timedelta(seconds=1), timedelta(days=30), timedelta(days=60)])
def test_require_bookable_time_lets_through_what_lies_between_now_and_the_horizon(ahead: timedelta) -> None:
    require_bookable_time(NOW + ahead, NOW)


@pytest.mark.parametrize(
    ("ahead", "sentence"),
    [
        (timedelta(0), "This time has passed."),
        (timedelta(days=-1), "This time has passed."),
        (timedelta(days=60, seconds=1), "Bookings open 60 days ahead."),
        (timedelta(days=4000), "Bookings open 60 days ahead."),
    ],
)
def test_require_bookable_time_says_what_is_wrong_with_the_date(ahead: timedelta, sentence: str) -> None:
    with pytest.raises(SlotNotOffered) as refusal:
        require_bookable_time(NOW + ahead, NOW)

    assert (refusal.value.fields, refusal.value.status) == ({"date": [sentence]}, 400)


def test_require_bookable_time_follows_the_setting(settings: Settings) -> None:
    settings.BOOKING_HORIZON_DAYS = 7

    with pytest.raises(SlotNotOffered):
        require_bookable_time(NOW + timedelta(days=8), NOW)
