"""What every test of the outbox may ask for."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from mindfulqalb.outbox import delivery, hints, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

    from mindfulqalb.outbox.registry import Delivery, Handler
    from mindfulqalb.outbox.tests.builders import Handle


@pytest.fixture(autouse=True)
def fresh_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test suffer from a broker that was dead in another."""
    monkeypatch.setattr(hints, "breaker", hints.Breaker(pause=10))


@pytest.fixture(autouse=True)
def a_minutes_lease(settings: Settings) -> None:
    """Leases last a minute in these tests, whatever the practice chooses."""
    settings.OUTBOX_LEASE_SECONDS = 60


@pytest.fixture
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a shift take no time, so that a pause can be compared to the microsecond."""
    monkeypatch.setattr(delivery, "monotonic", lambda: 0.0)


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """Register a handler for one test."""

    def register(handler: Handler, topic: str = "test.work") -> None:
        monkeypatch.setitem(registry.handlers, topic, handler)

    return register


@pytest.fixture
def delivered(handle: Handle) -> list[Delivery]:
    """Handle `test.work` by keeping each delivery in this list."""
    deliveries: list[Delivery] = []
    handle(deliveries.append)
    return deliveries


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """Listen on a port, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        yield server
