"""One stack for all journeys."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bookings.tests.journeys.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web, worker, beat, Redis and sandbox on a database of their own."""
    stack = Stack(tmp_path_factory.mktemp("stack"), os.environ["DATABASE_URL"])
    try:
        stack.start_all()
        yield stack
    finally:
        stack.stop_all()
