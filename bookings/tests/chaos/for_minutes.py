"""Chaos for minutes, from a random seed: `make chaos`. No part of `make test`, whose chaos is the same every time."""

from __future__ import annotations

import os
import secrets
import sys
import time
from typing import TYPE_CHECKING

from hypothesis import seed
from hypothesis.stateful import run_state_machine_as_test

from bookings.tests.chaos.rounds import BY_SEED

if TYPE_CHECKING:
    import pytest

    from bookings.tests.chaos.machine import Chaos


def test_promises_hold_for_minutes(world: type[Chaos], capsys: pytest.CaptureFixture[str]) -> None:
    ends = time.monotonic() + 60 * float(os.environ["CHAOS_MINUTES"])
    wanted = os.environ.get("SEED")
    while True:
        number = int(wanted or secrets.randbelow(10**9))
        with capsys.disabled():
            sys.stdout.write(f"{world.steps} steps so far; to replay what comes now: make chaos SEED={number}\n")
        run_state_machine_as_test(seed(number)(world), settings=BY_SEED)
        if wanted or time.monotonic() > ends:
            break
