"""Clients change their own appointment by the link in their mail, in a real browser."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from bookings.practice_time import clock_text, local
from bookings.tests.builders import next_slot
from bookings.tests.journeys.browser import Browser
from bookings.tests.journeys.stack import wait_until
from mindfulqalb.api.tokens import issue_booking_token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from bookings.tests.journeys.stack import Stack

# Where to leave pictures of what was seen, for whoever wants to look.
PICTURES = os.environ.get("JOURNEY_PICTURES")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def _link(stack: Stack, email: str, *, days: int, hour: int = 10) -> str:
    """Book and pay without a browser, and take the link out of the mail."""
    visitor = stack.visitor(next_slot(hour, days=days), email=email)
    _, hold = visitor.hold()
    visitor.book(visitor.pay(hold["payment"]["orderId"])["razorpay_payment_id"])
    text = wait_until(lambda: stack.mails_to(email), "the mail")[0]["text"]
    return next(str(word) for word in text.split() if "/manage/" in word)


def _keep(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def _fits(page: Page) -> bool:
    """Whether nothing has to be scrolled sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_client_moves_the_appointment(width: int, dark: bool, browser: Browser, stack: Stack) -> None:
    email = f"moves{width}@example.com"
    new = next_slot(16, days=31 + width % 7)
    page = browser.page(width=width, dark=dark)
    page.goto(_link(stack, email, days=30, hour=9 if dark else 11))
    _keep(page, f"manage-{width}")
    page.get_by_role("link", name="Choose another time").click()
    day = local(new).date().isoformat()
    while page.locator(f"a[href^='?day={day}']").count() == 0:
        page.get_by_role("link", name="Later days").click()
    page.locator(f"a[href^='?day={day}']").click()
    _keep(page, f"move-{width}")
    fits = _fits(page)

    # By keyboard alone: the radio button, then the way to the button below.
    page.get_by_label(clock_text(new)).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("time").first).to_have_attribute("datetime", local(new).isoformat())
    _keep(page, f"moved-{width}")
    mails = wait_until(lambda: [m for m in stack.mails_to(email) if "new time" in m["subject"]], "the mail")
    assert (len(mails), "SEQUENCE:1" in mails[0]["attachments"][0]["text"], fits) == (1, True, True)
    standing = [
        item["start"]
        for item in stack.sandbox.state()["calcom"]["bookings"]
        if email in str(item["attendees"]) and item["status"] == "accepted"
    ]
    assert [datetime.fromisoformat(start) for start in standing] == [new]
    assert browser.complaints == []


@pytest.mark.parametrize("width", [1280, 360])
def test_client_cancels_and_is_refunded(width: int, browser: Browser, stack: Stack) -> None:
    email = f"cancels{width}@example.com"
    page = browser.page(width=width)
    page.goto(_link(stack, email, days=32, hour=10 if width > 400 else 12))

    page.get_by_text("Cancel the appointment").click()
    expect(page.get_by_text("you get ₹1,299 back")).to_be_visible()
    _keep(page, f"cancel-{width}")
    page.get_by_role("button", name="Yes, cancel it").click()

    expect(page.locator("[data-state]")).to_have_attribute("data-state", "cancelled")
    _keep(page, f"cancelled-{width}")
    subjects = wait_until(
        lambda: [s for s in [m["subject"] for m in stack.mails_to(email)] if "money" in s], "the refund's mail"
    )
    assert (subjects, _fits(page)) == (["Your money is on its way back"], True)
    assert stack.sandbox.state()["razorpay"]["refunds"][-1]["amount"] == 129900
    assert browser.complaints == []


def test_client_moves_without_javascript(browser: Browser, stack: Stack) -> None:
    page = browser._chromium.new_context(java_script_enabled=False).new_page()
    page.goto(_link(stack, "plain@example.com", days=33))

    page.get_by_role("link", name="Choose another time").click()
    page.locator("input[name=start]").last.check()
    page.get_by_role("button", name="Move it to this time").click()

    expect(page.locator("[data-state]")).to_have_attribute("data-state", "confirmed")
    assert wait_until(lambda: [m for m in stack.mails_to("plain@example.com") if "new time" in m["subject"]], "mail")


@pytest.mark.parametrize("width", [1280, 360])
def test_expired_and_forged_links_say_what_to_do(width: int, browser: Browser, stack: Stack) -> None:
    now = datetime.now(UTC)
    expired = issue_booking_token(
        booking_id=uuid4(), version=1, now=now - timedelta(days=9), expires_at=now - timedelta(days=1)
    )
    page = browser.page(width=width)

    for token in (expired, "forged", f"{expired[:-3]}abc"):
        for path in ("", "/move"):
            page.goto(f"{stack.url}/manage/{token}{path}")
            expect(page.get_by_role("heading", name="This link does not work any more")).to_be_visible()

    _keep(page, f"dead-link-{width}")
    # The browser itself notes each 404 in its console; nothing else may stand there.
    assert {line for line in browser.complaints if "404" not in line} == set()
    assert _fits(page)


def test_therapist_moves_and_cancels_in_the_calendar_and_the_client_hears(browser: Browser, stack: Stack) -> None:
    """By webhook, within seconds; the poll would find it within a minute."""
    email, new = "followed@example.com", next_slot(13, days=41)
    page = browser.page()
    link = _link(stack, email, days=40)
    (uid,) = [item["uid"] for item in stack.sandbox.state()["calcom"]["bookings"] if email in str(item["attendees"])]

    moved = stack.sandbox.change_booking(uid, "reschedule", start=new.isoformat())
    wait_until(lambda: [m for m in stack.mails_to(email) if "new time" in m["subject"]], "the mail")
    page.goto(link)
    expect(page.locator("time").first).to_have_attribute("datetime", local(new).isoformat())
    stack.sandbox.change_booking(moved["uid"], "cancel")
    wait_until(lambda: [m for m in stack.mails_to(email) if "cancelled" in m["subject"]], "the mail")
    page.goto(link)

    expect(page.locator("[data-state]")).to_have_attribute("data-state", "cancelled")
    _keep(page, "cancelled-by-therapist")
    assert browser.complaints == []
