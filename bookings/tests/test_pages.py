from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.test import Client
from icalendar import Calendar

from bookings.links import token_of
from bookings.models import Booking
from bookings.states import BookingState
from bookings.tests.builders import make_upcoming
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.observability.logging import JsonFormatter
from mindfulqalb.outbox.models import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponse
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

HELPLINES = [f"tel:{helpline['phone']}" for helpline in settings.HELPLINES]
OURS = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def _policy(response: HttpResponse) -> dict[str, str]:
    pairs = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in pairs}


def _path(booking: Booking, *, now: datetime | None = None) -> str:
    return f"/manage/{token_of(booking, now=now or datetime.now(UTC))}"


def _text(response: HttpResponse) -> str:
    return html.unescape(response.content.decode())


def _helplines(response: HttpResponse) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="(tel:[^"]+)"', response.content.decode())))


def _rows() -> list[object]:
    """Everything that a look must leave as it is."""
    tables = (Booking, OutboxMessage, AuditEvent)
    return [list(table.objects.order_by("id").values()) for table in tables]  # type: ignore[attr-defined]


@pytest.fixture
def browser() -> Client:
    """A browser as strict as real ones are."""
    return Client(enforce_csrf_checks=True)


# The booking page


def test_booking_page_lets_only_the_checkout_dialog_in(browser: Client) -> None:
    response = browser.get("/")

    dialog = " ".join(settings.RAZORPAY_CSP_SOURCES)
    assert (response.status_code, _helplines(response)) == (200, HELPLINES)
    assert _policy(response) == OURS | {
        "script-src": f"'self' {dialog}",
        "connect-src": f"'self' {dialog}",
        "frame-src": dialog,
    }


def test_booking_page_lets_a_banks_window_report_back(browser: Client) -> None:
    assert browser.get("/")["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"


def test_booking_page_has_nothing_inline(browser: Client) -> None:
    page = browser.get("/").content.decode()

    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=|javascript:", page) == []


@pytest.mark.parametrize("path", ["/", "/?payment=pay_x&session=individual-video"])
def test_booking_page_asks_the_database_nothing(
    path: str, browser: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert browser.get(path).status_code == 200


# The client's own page


@pytest.mark.parametrize(
    ("state", "heading"),
    [
        (BookingState.HELD, "Waiting for your payment"),
        (BookingState.PENDING, "Being written into the calendar"),
        (BookingState.CONFIRMED, "Confirmed"),
        (BookingState.REJECTED, "This time was no longer free"),
        (BookingState.EXPIRED, "Not booked"),
        (BookingState.CANCELLED, "Cancelled"),
        (BookingState.COMPLETED, "Has taken place"),
        (BookingState.NO_SHOW, "Missed"),
    ],
)
def test_manage_page_shows_every_state(state: BookingState, heading: str, browser: Client) -> None:
    response = browser.get(_path(make_upcoming(state)))

    page = _text(response)
    headings = re.findall(r'<h2 id="state">\s*(.*?)\s*</h2>', page, re.DOTALL)
    assert (response.status_code, headings, _helplines(response)) == (200, [heading], HELPLINES)
    assert re.findall(r'data-state="(\w+)"', page) == [state.lower()]
    assert "Hello Jane." in page


@pytest.mark.parametrize("state", BookingState)
def test_manage_page_links_to_the_appointment_only_while_there_is_one(state: BookingState, browser: Client) -> None:
    booking = make_upcoming(state)
    path = _path(booking)

    links = re.findall(r'<a class="button[^"]*" href="([^"]+)"', browser.get(path).content.decode())

    shown = [link for link in links if "/booking/" in link or link.endswith(".ics")]
    assert (len(shown), "/" in links) == (
        (2, False) if state == BookingState.CONFIRMED else (0, state != BookingState.PENDING)
    )


@pytest.mark.parametrize("state", [BookingState.HELD, BookingState.CONFIRMED])
def test_manage_page_tells_no_more_than_the_first_name(state: BookingState, browser: Client) -> None:
    page = _text(browser.get(_path(make_upcoming(state))))

    assert [word for word in ("Doe", "jane@example.com", "9876543210", "203.0.113.7") if word in page] == []


def test_manage_page_greets_nobody_once_the_person_is_erased(browser: Client) -> None:
    response = browser.get(_path(make_upcoming(customer_name="")))

    assert (response.status_code, "Hello" in _text(response)) == (200, False)


def test_manage_page_escapes_a_hostile_name(browser: Client) -> None:
    page = browser.get(_path(make_upcoming(customer_name="<script>alert(1)</script>"))).content.decode()

    assert ("<script>alert" in page, "&lt;script&gt;alert(1)&lt;/script&gt;" in page) == (False, True)


@pytest.mark.parametrize("suffix", ["", "/session.ics"])
def test_manage_page_is_kept_by_no_cache_and_named_to_nobody(suffix: str, browser: Client) -> None:
    response = browser.get(_path(make_upcoming()) + suffix)

    assert {name: response[name] for name in ("Referrer-Policy", "X-Frame-Options", "X-Content-Type-Options")} == {
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
    }
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert _policy(response) == OURS


def test_manage_page_is_found_by_no_search_engine(browser: Client) -> None:
    for path in (_path(make_upcoming()), "/manage/forged"):
        assert browser.get(path).content.decode().count('<meta name="robots" content="noindex">') == 1


def test_manage_page_asks_the_database_once(browser: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    path = _path(make_upcoming())

    with django_assert_num_queries(1):
        browser.get(path)


def test_session_file_is_the_calendar_file_of_the_booking(browser: Client) -> None:
    booking = make_upcoming()

    response = browser.get(_path(booking) + "/session.ics")

    (event,) = Calendar.from_ical(response.content).walk("VEVENT")
    assert (response["Content-Type"], response["Content-Disposition"]) == (
        "text/calendar; charset=utf-8",
        'attachment; filename="session.ics"',
    )
    assert (str(event["UID"]).partition("@")[0], event["DTSTART"].dt) == (str(booking.id), booking.starts_at)


# Links that do not open anything


def _expired() -> str:
    booking = make_upcoming()
    booking.starts_at -= timedelta(days=60)
    booking.ends_at -= timedelta(days=60)
    booking.save()
    return _path(booking, now=booking.starts_at)


def _revoked() -> str:
    path = _path(make_upcoming())
    Booking.objects.update(link_version=2)
    return path


def _cut() -> str:
    return _path(make_upcoming())[:-1]


def _forged() -> str:
    return "/manage/eyJhbGciOiJub25lIn0.eyJzdWIiOiJKYW5lIn0."


@pytest.mark.parametrize("make_path", [_expired, _revoked, _cut, _forged])
@pytest.mark.parametrize("suffix", ["", "/session.ics"])
def test_manage_page_of_a_dead_link_helps_and_leaves_no_trace(
    make_path: Callable[[], str], suffix: str, browser: Client
) -> None:
    path = make_path()
    before = _rows()

    response = browser.get(path + suffix)

    page = _text(response)
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert ("This link does not work any more" in page, _helplines(response)) == (True, HELPLINES)
    assert [word for word in ("Jane", path.rpartition("/")[2], "Individual session") if word in page] == []
    assert (_rows(), response["Cache-Control"]) == (
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
    path = _path(make_upcoming())

    browser.post(path)
    browser.options(path)

    lines = [json.loads(JsonFormatter().format(record))["message"] for record in caplog.records]
    assert lines == [
        "Forbidden (CSRF cookie not set.): /manage/[token]",
        "Method Not Allowed (OPTIONS): /manage/[token]",
    ]


# Looking never changes anything


@pytest.mark.parametrize("state", BookingState)
@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing_and_sets_no_cookie(method: str, state: BookingState, browser: Client) -> None:
    path = _path(make_upcoming(state))
    before = _rows()

    responses = [getattr(browser, method)(address) for address in ("/", path, f"{path}/session.ics")]

    assert [(response.status_code, dict(response.cookies)) for response in responses] == [(200, {})] * 3
    assert ([bool(response.content) for response in responses], _rows()) == ([method == "get"] * 3, before)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("suffix", ["", "/session.ics"])
def test_pages_refuse_whatever_would_change_something(method: str, suffix: str) -> None:
    path = _path(make_upcoming()) + suffix
    before = _rows()

    strict = getattr(Client(enforce_csrf_checks=True), method)(path)
    lenient = getattr(Client(), method)(path)

    assert (strict.status_code, lenient.status_code, lenient["Allow"]) == (403, 405, "GET, HEAD")
    assert _rows() == before


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_booking_page_refuses_whatever_would_change_something(method: str) -> None:
    response = getattr(Client(), method)("/")

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")
