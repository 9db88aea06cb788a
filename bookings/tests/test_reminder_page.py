"""Reminders are stopped by a post, and by nothing less."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bookings.links import reminders_url, token_of
from bookings.models import Booking, ReminderRefusal
from bookings.tests.builders import make_upcoming
from bookings.tests.looking import HELPLINES, all_rows, helplines_of, text_of
from mindfulqalb.audit.models import AuditEvent

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def _path(booking: Booking) -> str:
    return "/reminders/" + reminders_url(booking, now=datetime.now(UTC)).rpartition("/")[2]


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_stops_nothing(browser: Client, method: str) -> None:
    path = _path(make_upcoming())
    before = all_rows()

    response = getattr(browser, method)(path)

    assert (response.status_code, ReminderRefusal.objects.count(), all_rows()) == (200, 0, before)


def test_page_offers_to_stop_and_then_to_resume(browser: Client) -> None:
    path = _path(make_upcoming())

    pages = [browser.get(path), browser.post(path, {"reminders": "stop"}), browser.post(path, {"reminders": "resume"})]

    offers = [[value for value in ("stop", "resume") if f'value="{value}"' in text_of(page)] for page in pages]
    assert (offers, ReminderRefusal.objects.count()) == ([["stop"], ["resume"], ["stop"]], 0)
    assert [helplines_of(page) for page in pages] == [HELPLINES] * 3


def test_mail_program_stops_reminders_by_one_click(browser: Client) -> None:
    booking = make_upcoming()

    response = browser.post(_path(booking), {"List-Unsubscribe": "One-Click"})

    assert (response.status_code, ReminderRefusal.objects.get().email_hash) == (200, booking.customer_email_hash)
    event = AuditEvent.objects.get(action="reminders.stopped")
    assert (event.action, event.actor, event.target) == ("reminders.stopped", "client", f"booking:{booking.id}")


def test_page_speaks_the_bookings_language_unless_another_is_chosen(browser: Client) -> None:
    path = _path(make_upcoming(locale="hi"))

    pages = [text_of(browser.get(path)), text_of(browser.get(f"{path}?lang=en"))]

    assert ["ऐसे ईमेल बंद करें" in pages[0], "Stop reminders" in pages[1]] == [True, True]


@pytest.mark.parametrize("method", ["get", "post"])
def test_forged_revoked_or_other_links_stop_nothing(browser: Client, method: str) -> None:
    booking = make_upcoming()
    manage_token = token_of(booking, now=datetime.now(UTC))
    path = _path(booking)
    Booking.objects.update(link_version=2)

    answers = [getattr(browser, method)(tried) for tried in (path, f"/reminders/{manage_token}", "/reminders/forged")]

    assert ([answer.status_code for answer in answers], ReminderRefusal.objects.count()) == ([404] * 3, 0)


def test_reminders_link_opens_nothing_else(browser: Client) -> None:
    token = _path(make_upcoming()).rpartition("/")[2]

    assert browser.get(f"/manage/{token}").status_code == 404
