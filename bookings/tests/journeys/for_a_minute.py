"""Restarts under load for SECONDS: `make restarts`. No part of `make test`, which does each of them once."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from bookings.tests.builders import next_slot
from bookings.tests.journeys.crowd import Crowd, restart

if TYPE_CHECKING:
    from bookings.tests.journeys.stack import Stack

SLOTS = [next_slot(hour, days=days) for days, hour in itertools.product(range(3, 58), range(9, 18))]
ORDER = [(name, ends_by) for ends_by in (signal.SIGTERM, signal.SIGKILL) for name in ("web", "web2", "worker", "redis")]


def test_bookings_go_on_while_everything_is_restarted(stack: Stack) -> None:
    stack.start("web2")
    ends, restarts = time.monotonic() + float(os.environ["LOAD_SECONDS"]), 0
    with Crowd(stack, SLOTS, clients=4) as crowd:
        for name, ends_by in itertools.cycle(ORDER):
            if time.monotonic() > ends:
                break
            restart(stack, name, ends_by=ends_by)
            restarts += 1
    crowd.await_the_end()

    seconds = sorted(crowd.seconds)
    sys.stdout.write(
        f"{restarts} restarts, {len(crowd.emails)} sessions booked; {sum(crowd.answers.values())} answers"
        f" {dict(crowd.answers)}, {crowd.unanswered} calls made again at the other server,"
        f" half of all within {seconds[len(seconds) // 2]:.2f} s, the slowest {seconds[-1]:.1f} s\n"
    )
    assert set(crowd.answers) <= {200, 201, 202}
    assert crowd.confirmed() == sorted(crowd.emails)
    assert set(crowd.mails()) == set(crowd.emails)
