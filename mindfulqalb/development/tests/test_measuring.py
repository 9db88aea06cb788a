from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mindfulqalb.development.measuring import Load, Measured


@pytest.mark.parametrize(
    "options",
    [
        {"url": "https://book.example.org"},
        {"sandbox_url": "http://192.0.2.1:8100"},
        {"requests": 0},
        {"requests": 20_001},
        {"clients": 201},
        {"rate": 0.0},
        {"days": 0},
    ],
)
def test_command_measures_nothing_but_this_machine_and_within_bounds(options: dict[str, Any]) -> None:
    own = {"url": "http://127.0.0.1:1", "sandbox_url": "http://localhost:1"}

    with pytest.raises(CommandError):
        call_command("measure_availability", **(own | options))


def test_load_comes_to_every_day_and_session() -> None:
    load = Load("", "", ("free", "couples"), days=3)

    asked = {tuple(load.asked(number).values()) for number in range(6)}

    assert len(asked) == 6


@pytest.mark.parametrize(("percent", "seconds"), [(50, 5.0), (95, 9.0), (100, 10.0)])
def test_measured_names_what_a_share_of_the_answers_did_not_exceed(percent: int, seconds: float) -> None:
    measured = Measured([], [10.0, 1.0, 3.0, 2.0, 4.0, 5.0, 6.0, 7.0, 9.0, 8.0], Counter(), Counter())

    assert measured.warm_at(percent) == seconds
