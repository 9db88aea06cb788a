"""The world of the chaos tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bookings.tests.chaos.machine import Chaos
from bookings.tests.chaos.world import World

if TYPE_CHECKING:
    from pytest_django import Settings

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

# Within the hours that the sandbox's Stripe, which keeps real time, allows a world to last.
CREDIT_HOURS = 6


@pytest.fixture
def world(transactional_db: None, sandbox: SandboxProcess, settings: Settings) -> type[Chaos]:
    """A kind of world that can begin: an empty practice at the sandbox's vendors."""
    settings.PAYMENT_CREDIT_HOURS = CREDIT_HOURS
    World.sandbox = sandbox
    return Chaos


@pytest.fixture
def chaos(world: type[Chaos]) -> Chaos:
    """A world to walk through by hand; `teardown` brings it to its end and compares the books."""
    return world()
