"""Pages by dead links, and what looking may not do."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from bookings.models import Booking
from bookings.states import BookingState
from bookings.tests.builders import make_upcoming
from bookings.tests.looking import HELPLINES, all_rows, helplines_of, path_of, text_of
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.observability.logging import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Callable


pytestmark = pytest.mark.django_db


# Links that do not open anything


def _expired() -> str:
    booking = make_upcoming()
    booking.starts_at -= timedelta(days=60)
    booking.ends_at -= timedelta(days=60)
    booking.save()
    return path_of(booking, now=booking.starts_at)


def _revoked() -> str:
    path = path_of(make_upcoming())
    Booking.objects.update(link_version=2)
    return path


def _cut() -> str:
    return path_of(make_upcoming())[:-1]


def _forged() -> str:
    return "/manage/eyJhbGciOiJub25lIn0.eyJzdWIiOiJKYW5lIn0."


@pytest.mark.parametrize("make_path", [_expired, _revoked, _cut, _forged])
@pytest.mark.parametrize("suffix", ["", "/session.ics"])
def test_manage_page_of_a_dead_link_helps_and_leaves_no_trace(
    make_path: Callable[[], str], suffix: str, browser: Client
) -> None:
    path = make_path()
    before = all_rows()

    response = browser.get(path + suffix)

    page = text_of(response)
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert ("This link does not work any more" in page, helplines_of(response)) == (True, HELPLINES)
    assert [word for word in ("Jane", path.rpartition("/")[2], "Individual session") if word in page] == []
    assert (all_rows(), response["Cache-Control"]) == (
        before,
        "max-age=0, no-cache, no-store, must-revalidate, private",
    )


def test_manage_page_says_the_same_of_every_dead_link(browser: Client) -> None:
    pages = set()
    for make_path in (_expired, _revoked, _cut, _forged):
        Booking.objects.all().delete()
        pages.add(browser.get(make_path()).content)

    assert len(pages) == 1


def test_manage_page_writes_no_token_into_the_log(browser: Client, caplog: pytest.LogCaptureFixture) -> None:
    path = path_of(make_upcoming())

    browser.post(path)
    browser.options(path)

    lines = [json.loads(JsonFormatter().format(record))["message"] for record in caplog.records]
    assert lines == [
        "Forbidden (CSRF cookie not set.): /manage/[token]",
        "POST manage/<str:token> 403",
        "Method Not Allowed (OPTIONS): /manage/[token]",
        "OPTIONS manage/<str:token> 405",
    ]


# Looking never changes anything


@pytest.mark.parametrize("state", BookingState)
@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing_and_sets_no_cookie(method: str, state: BookingState, browser: Client) -> None:
    path = path_of(make_upcoming(state))
    before = all_rows()

    responses = [getattr(browser, method)(address) for address in ("/", path, f"{path}/session.ics")]

    assert [(response.status_code, dict(response.cookies)) for response in responses] == [(200, {})] * 3
    assert ([bool(response.content) for response in responses], all_rows()) == ([method == "get"] * 3, before)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("suffix", ["", "/session.ics"])
def test_pages_refuse_whatever_would_change_something(method: str, suffix: str) -> None:
    path = path_of(make_upcoming()) + suffix
    before = all_rows()

    strict = getattr(Client(enforce_csrf_checks=True), method)(path)
    lenient = getattr(Client(), method)(path)

    assert (strict.status_code, lenient.status_code, lenient["Allow"]) == (403, 405, "GET, HEAD")
    assert all_rows() == before


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_cancelling_needs_a_press_of_the_button(method: str, browser: Client) -> None:
    path = path_of(make_upcoming()) + "/cancel"
    before = all_rows()

    response = getattr(Client(), method)(path)

    assert (response.status_code, response["Allow"], all_rows()) == (405, "POST", before)


@pytest.mark.parametrize("state", [BookingState.PENDING, BookingState.CONFIRMED])
def test_cancelling_twice_cancels_once_and_shows_the_page(state: BookingState, browser: Client) -> None:
    booking = make_upcoming(state)
    path = path_of(booking)

    responses = [browser.post(f"{path}/cancel") for _ in range(2)]

    booking.refresh_from_db()
    assert [(response.status_code, response["Location"], dict(response.cookies)) for response in responses] == [
        (303, path, {})
    ] * 2
    assert (booking.state, AuditEvent.objects.filter(action="booking.cancelled").count()) == (BookingState.CANCELLED, 1)


@pytest.mark.parametrize("make_path", [_expired, _revoked, _cut, _forged])
def test_cancelling_by_a_dead_link_changes_nothing(make_path: Callable[[], str], browser: Client) -> None:
    path = make_path()
    before = all_rows()

    response = browser.post(f"{path}/cancel")

    assert (response.status_code, helplines_of(response), all_rows()) == (404, HELPLINES, before)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_booking_page_refuses_whatever_would_change_something(method: str) -> None:
    response = getattr(Client(), method)("/")

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
