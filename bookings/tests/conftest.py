"""Fixtures of the booking tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from bookings.calendars import background_calendar, calendar
from bookings.listings import refreshers
from bookings.shared_memory import shared_memory
from bookings.tests.builders import make_catalogue, next_slot
from bookings.tests.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest_framework.test import APIClient

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess


@pytest.fixture(autouse=True)
def _new_processes() -> Iterator[None]:
    """Make each test its own client and memory, and let no refreshing of its listings reach the next one."""
    yield
    refreshers().shutdown()
    for made_once in (refreshers, shared_memory, calendar, background_calendar):
        made_once.cache_clear()


@pytest.fixture
def visitor(transactional_db: None, sandbox: SandboxProcess, api: APIClient) -> Visitor:
    """Jane in front of this process; the calendar call of a request runs in a thread, so rows must be committed."""

    def post(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        response = api.post(path, body, format="json")
        return response.status_code, response.json()

    make_catalogue()
    return Visitor(post, sandbox, next_slot())


@pytest.fixture
def browser() -> Client:
    """A browser as strict as real ones are."""
    return Client(enforce_csrf_checks=True)
