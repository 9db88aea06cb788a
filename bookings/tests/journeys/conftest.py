"""One stack for all journeys."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bookings.tests.journeys.stack import Stack
from mindfulqalb.development.temporary_home import temporary_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web, worker, beat, Redis and sandbox on a database of their own."""
    with temporary_home() as server_home:
        stack = Stack(tmp_path_factory.mktemp("stack"), server_home, os.environ["DATABASE_URL"])
        try:
            stack.start_all()
            yield stack
        finally:
            stack.stop_all()
        # Celery ends its worker when Redis vanishes at a bad moment; nothing else may give up.
        assert set(stack.died) <= {"worker"}


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Stack]:
    """Web on a database that two months of work have filled; nobody works on it behind the pictures' back."""
    with temporary_home() as server_home:
        stack = Stack(tmp_path, server_home, os.environ["DATABASE_URL"])
        try:
            stack.prepare()
            filling = "from bookings.tests.journeys.sample_practice import fill; fill()"
            stack.manage("shell", "-v0", "-c", filling).check_returncode()
            stack.start("web")
            yield stack
        finally:
            stack.stop_all()
