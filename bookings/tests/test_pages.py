from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from icalendar import Calendar

from bookings.services.cancellation import cancel_by_client
from bookings.states import BookingState
from bookings.tests.builders import make_payment, make_upcoming
from bookings.tests.looking import HELPLINES, helplines_of, path_of, text_of
from mindfulqalb.catalogue.models import SessionOffer
from payments.models import Dispute, Refund
from payments.states import RefundState

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

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


def _policy(response: Any) -> dict[str, str]:
    pairs = (part.strip().partition(" ") for part in response["Content-Security-Policy"].split(";"))
    return {name: sources for name, _, sources in pairs}


# The booking page


def test_booking_page_lets_only_the_checkout_dialog_in(browser: Client) -> None:
    response = browser.get("/")

    dialog = " ".join(settings.RAZORPAY_CSP_SOURCES)
    assert (response.status_code, helplines_of(response)) == (200, HELPLINES)
    assert _policy(response) == OURS | {
        "script-src": f"'self' {dialog}",
        "connect-src": f"'self' {dialog}",
        "frame-src": dialog,
        "form-action": f"'self' {dialog}",
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
    response = browser.get(path_of(make_upcoming(state)))

    page = text_of(response)
    headings = re.findall(r'<h2 id="state">\s*(.*?)\s*</h2>', page, re.DOTALL)
    assert (response.status_code, headings, helplines_of(response)) == (200, [heading], HELPLINES)
    assert re.findall(r'data-state="(\w+)"', page) == [state.lower()]
    assert "Hello Jane." in page


def test_manage_page_calls_a_hold_that_has_run_out_not_booked_before_it_is_swept_up(browser: Client) -> None:
    page = text_of(browser.get(path_of(make_upcoming(BookingState.HELD, hold_expires_at=datetime.now(UTC)))))

    assert ("Not booked" in page, "We are keeping this time" in page, 'data-state="expired"' in page) == (
        True,
        False,
        True,
    )


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (BookingState.EXPIRED, "we could not keep this time until it came"),
        (BookingState.REJECTED, "Your money is safe: choose another time below"),
    ],
)
def test_manage_page_does_not_promise_to_write_about_money_that_waits_below(
    state: BookingState, sentence: str, browser: Client
) -> None:
    unpaid, paid = make_upcoming(state), make_upcoming(state, hour=12, payment=make_payment())

    pages = [text_of(browser.get(path_of(booking))) for booking in (unpaid, paid)]

    assert [sentence in page for page in pages] == [False, True]
    assert ["ave paid" in page for page in pages] == [True, False]


@pytest.mark.parametrize("state", [BookingState.EXPIRED, BookingState.REJECTED])
def test_manage_page_answers_whoever_sends_their_money_back(state: BookingState, browser: Client) -> None:
    path = path_of(make_upcoming(state, payment=make_payment()))

    browser.post(f"{path}/refund", {"confirm": "yes"})

    page = text_of(browser.get(path))
    assert ("We send ₹1,299 back the way it came" in page, "ave paid" in page) == (True, False)


@pytest.mark.parametrize("state", BookingState)
def test_manage_page_links_to_the_appointment_only_while_there_is_one(state: BookingState, browser: Client) -> None:
    booking = make_upcoming(state)
    path = path_of(booking)

    links = re.findall(r'<a class="button[^"]*" href="([^"]+)"', browser.get(path).content.decode())

    shown = [link for link in links if "/booking/" in link or link.endswith(".ics")]
    assert (len(shown), "/" in links) == (
        (2, False) if state == BookingState.CONFIRMED else (0, state != BookingState.PENDING)
    )


@pytest.mark.parametrize("state", [BookingState.HELD, BookingState.CONFIRMED])
def test_manage_page_tells_no_more_than_the_first_name(state: BookingState, browser: Client) -> None:
    page = text_of(browser.get(path_of(make_upcoming(state))))

    assert [word for word in ("Doe", "jane@example.com", "9876543210", "203.0.113.7") if word in page] == []


def test_manage_page_greets_nobody_once_the_person_is_erased(browser: Client) -> None:
    response = browser.get(path_of(make_upcoming(customer_name="")))

    assert (response.status_code, "Hello" in text_of(response)) == (200, False)


def test_manage_page_escapes_a_hostile_name(browser: Client) -> None:
    page = browser.get(path_of(make_upcoming(customer_name="<script>alert(1)<script>"))).content.decode()

    assert ("<script>alert" in page, "&lt;script&gt;alert(1)&lt;script&gt;" in page) == (False, True)


@pytest.mark.parametrize("suffix", ["", "/session.ics"])
def test_manage_page_is_kept_by_no_cache_and_named_to_nobody(suffix: str, browser: Client) -> None:
    response = browser.get(path_of(make_upcoming()) + suffix)

    assert {name: response[name] for name in ("Referrer-Policy", "X-Frame-Options", "X-Content-Type-Options")} == {
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
    }
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert _policy(response) == OURS


def test_manage_page_is_found_by_no_search_engine(browser: Client) -> None:
    for path in (path_of(make_upcoming()), "/manage/forged"):
        assert browser.get(path).content.decode().count('<meta name="robots" content="noindex">') == 1


@pytest.mark.parametrize(("is_paid", "queries"), [(False, 5), (True, 7)])
def test_manage_page_asks_the_database_for_booking_consent_move_policy_money_and_receipts(
    is_paid: bool, queries: int, browser: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    path = path_of(make_upcoming(payment=make_payment() if is_paid else None))

    with django_assert_num_queries(queries):
        browser.get(path)


def test_session_file_is_the_calendar_file_of_the_booking(browser: Client) -> None:
    booking = make_upcoming()

    response = browser.get(path_of(booking) + "/session.ics")

    (event,) = Calendar.from_ical(response.content).events
    assert (response["Content-Type"], response["Content-Disposition"]) == (
        "text/calendar; charset=utf-8",
        'attachment; filename="session.ics"',
    )
    assert (str(event.uid).partition("@")[0], event.start) == (str(booking.id), booking.starts_at)


def test_manage_page_says_with_whom_and_how(browser: Client) -> None:
    page = text_of(browser.get(path_of(make_upcoming())))

    assert ("<dd>Individual session, Video call</dd>" in page, "<dd>Dr. Asha</dd>" in page) == (True, True)
    assert "Asia/Kolkata (GMT+5:30)" in page


@pytest.mark.parametrize(
    ("hours", "allowed", "moves", "said"),
    [
        (24, 2, 0, ["Would you like to move or cancel it?"]),
        (100, 2, 0, ["Would you like to cancel it?", "It could be moved until"]),
        (24, 2, 2, ["Would you like to cancel it?", "It has been moved as often as is possible."]),
        (24, 0, 0, ["Would you like to cancel it?"]),
    ],
)
def test_manage_page_says_why_it_cannot_be_moved(
    hours: int, allowed: int, moves: int, said: list[str], browser: Client
) -> None:
    booking = make_upcoming(moves=moves)
    SessionOffer.objects.update(move_notice_hours=hours, moves_allowed=allowed)

    page = text_of(browser.get(path_of(booking)))

    sentences = (
        "Would you like to move or cancel it?",
        "Would you like to cancel it?",
        "It could be moved until",
        "It has been moved as often as is possible.",
    )
    assert [each for each in sentences if each in page] == said


# What goes back


@pytest.mark.parametrize(
    ("state", "disputed", "said"),
    [
        (RefundState.REQUESTED, False, "We send ₹1,299 back the way it came"),
        (RefundState.PENDING, False, "We send ₹1,299 back the way it came"),
        (RefundState.PENDING, True, "Your bank is looking into this payment."),
        (RefundState.PROCESSED, False, None),
        (RefundState.FAILED, False, None),
    ],
)
def test_page_of_a_cancelled_session_says_what_goes_back(
    state: RefundState, disputed: bool, said: str | None, browser: Client
) -> None:
    booking = make_upcoming(payment=make_payment())
    assert booking.payment is not None
    cancel_by_client(booking_id=booking.id, now=datetime.now(UTC))
    Refund.objects.update(state=state)
    if disputed:
        Dispute.objects.create(
            payment=booking.payment,
            provider_dispute_id="disp_1",
            amount_minor=129900,
            currency="INR",
            noticed_at=datetime.now(UTC),
        )

    page = text_of(browser.get(path_of(booking)))

    sentences = ("We send ₹1,299 back the way it came", "Your bank is looking into this payment.")
    assert [each for each in sentences if each in page] == ([said] if said else [])
