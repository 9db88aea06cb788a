"""Every route has a limit for each caller, or a reason to have none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from mindfulqalb.tests.test_urls import API, ENVELOPE, ROUTES, WRITE, address_of

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

UNLIMITED = {
    "livez": "an orchestrator kills what does not answer",
    "readyz": "monitors look most of all while we are busy",
    "api/health": "the same, under the name that front ends know",
    "metrics": "wants a token",
}
LIMITED = sorted({*ROUTES, "admin/", "admin/login/", "admin/second-factor/", "admin/bookings/booking/"} - {*UNLIMITED})


@pytest.fixture(autouse=True)
def _two_a_day(settings: Settings) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, "2/d")


def ask(route: str, address: str = "203.0.113.7") -> Any:
    method = "POST" if ROUTES.get(route) == WRITE else "GET"
    return Client().generic(method, address_of(route), b"{}", content_type="application/json", REMOTE_ADDR=address)


@pytest.mark.parametrize("route", LIMITED)
def test_route_is_refused_to_whoever_asks_too_often_and_to_nobody_else(route: str) -> None:
    statuses = [ask(route).status_code for _ in range(3)]
    other = ask(route, "198.51.100.9").status_code

    assert [status == 429 for status in (*statuses, other)] == [False, False, True, False]


@pytest.mark.parametrize("route", LIMITED)
def test_refusal_says_when_to_come_back(route: str) -> None:
    *_, refused = [ask(route) for _ in range(3)]

    assert 0 < int(refused["Retry-After"]) <= 24 * 60 * 60
    assert refused["Cache-Control"] == "no-store"
    if route.startswith("api/"):
        assert (sorted(refused.json()), refused.json()["code"]) == (ENVELOPE, "too_many_requests")
    else:
        assert refused["Content-Type"] == "text/html; charset=utf-8"
        assert "Please wait a moment" in refused.content.decode()


@pytest.mark.parametrize("route", UNLIMITED)
def test_route_without_a_limit_answers_always(route: str) -> None:
    assert {ask(route).status_code for _ in range(5)} == {ask(route).status_code} <= {200, 401, 404, 503}


def test_pages_are_counted_together() -> None:
    assert [ask(route).status_code for route in ("", "api/docs", "")] == [200, 200, 429]


def test_every_route_of_the_api_is_among_them() -> None:
    assert {*API} - {*LIMITED} == {"api/health"}
