"""Whatever happens, in whatever order: money is not lost, no hour is sold twice, nothing is said in clear.

`make chaos` does the same for minutes, from a random seed. What fails is printed as a program: it belongs into
`test_regressions.py` as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis.stateful import run_state_machine_as_test

from bookings.tests.chaos.rounds import SAME_EVERY_TIME

if TYPE_CHECKING:
    from bookings.tests.chaos.machine import Chaos


def test_promises_hold_through_two_thousand_steps(world: type[Chaos]) -> None:
    before = world.steps

    run_state_machine_as_test(world, settings=SAME_EVERY_TIME)

    assert world.steps - before >= 2000
