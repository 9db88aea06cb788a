"""Staff of every role come in through a real browser, find their work on the first page, and do it.

Whatever the browser complains of, a breach of the content policy among it, and whatever axe-core finds against
WCAG 2.2 AA fails the journey.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from bookings.tests.builders import next_slot
from bookings.tests.journeys.browser import Browser
from bookings.tests.journeys.office import Desk, come_in, give_password, make_staff, set_up_second_factor
from bookings.tests.journeys.stack import wait_until
from mindfulqalb.staff.roles import ADMINISTRATOR, COMPLIANCE_AUDITOR, FINANCE, FRONT_DESK, THERAPIST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bookings.tests.journeys.stack import Stack

DAYS = 6  # the last day of the agenda; no other journey books so many days from now


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def _sell(stack: Stack, name: str, *, hour: int) -> str:
    """Sell a session without a browser, and return its payment's id at the gateway once the calendar has it."""
    visitor = stack.visitor(
        next_slot(hour, days=DAYS), name=name, email=f"{name.split(maxsplit=1)[0].lower()}@example.com"
    )
    _, hold = visitor.hold()
    payment_id = visitor.pay(hold["payment"]["orderId"])["razorpay_payment_id"]
    visitor.book(payment_id)
    wait_until(lambda: stack.status(hold) == "confirmed", "the confirmation")
    return str(payment_id)


def test_staff_set_up_a_second_factor_and_come_in_by_it(browser: Browser, stack: Stack) -> None:
    account = make_staff(stack, "fatima", FRONT_DESK)
    page = browser.page()
    give_password(page, stack, account)
    recovery_code = set_up_second_factor(page, stack)
    page.click("#logout-form button")

    come_in(page, stack, account, recovery_code)

    assert page.url == f"{stack.url}/admin/"
    assert page.locator("#user-tools").inner_text().lower().startswith("welcome, fatima")
    assert browser.complaints == []


def test_administrator_gives_a_therapist_their_account_and_they_see_their_sessions(
    browser: Browser, stack: Stack
) -> None:
    _sell(stack, "Ulla Unger", hour=10)
    therapist = make_staff(stack, "asha", THERAPIST)
    administrator = Desk.of(browser, stack, "nadia", ADMINISTRATOR)
    for link in ("Session offers", "Outbox messages", "Staff members", "Therapists"):
        administrator.open(link)
    administrator.page.get_by_role("link", name="MindfulQALB", exact=True).first.click()
    administrator.look()
    administrator.page.select_option("#id_member", label="asha")
    administrator.page.click("[name=_save]")
    expect(administrator.page.locator(".messagelist")).to_contain_text("was changed successfully")
    assert administrator.found() == []

    own = Desk(browser, stack, browser.page(width=390, dark=True))
    own.come_in(therapist)
    expect(own.page.locator(".agenda.coming .who").first).to_have_text("U. U.")
    own.page.locator(".agenda.coming .appointments a").first.click()
    own.look()
    expect(own.page.locator("h1")).to_contain_text("booking")
    assert own.found() == []


def test_front_desk_cancels_a_session_for_the_practice(browser: Browser, stack: Stack) -> None:
    _sell(stack, "Vera Vogt", hour=12)
    desk = Desk.of(browser, stack, "omar", FRONT_DESK)
    expect(desk.page.locator(".agenda.coming")).to_contain_text("V. V.")
    desk.page.locator(".agenda.coming li", has_text="V. V.").get_by_role("link").click()
    desk.look()
    booking_id = re.search(r"/booking/([^/]+)/", desk.page.url)
    assert booking_id
    desk.act("bookings/booking", booking_id[1], action="cancel_for_practice", yes="Yes, cancel")

    expect(desk.page.locator(".messagelist")).to_contain_text("Sessions cancelled: 1.")
    desk.page.goto(f"{stack.url}/admin/")
    expect(desk.page.locator(".agenda.today")).to_be_visible()
    assert "V. V." not in desk.page.locator("#content").inner_text()
    assert desk.found() == []


def test_front_desk_moves_a_session_and_has_it_confirmed_again(browser: Browser, stack: Stack) -> None:
    _sell(stack, "Yara Yilmaz", hour=11)
    desk = Desk.of(browser, stack, "lena", FRONT_DESK, width=390)
    desk.page.locator(".agenda.coming li", has_text="Y. Y.").get_by_role("link").click()
    desk.page.get_by_role("link", name="Move it…").click()
    desk.look()
    desk.page.get_by_label("15:00").check()
    desk.page.get_by_role("button", name="Move it to this time").click()
    expect(desk.page.locator(".messagelist")).to_contain_text("15:00; the client gets a mail.")
    desk.look()

    booking_id = re.search(r"/booking/([^/]+)/", desk.page.url)
    assert booking_id
    wait_until(lambda: len(stack.mails_to("yara@example.com")) > 1, "the mail about the new time")
    desk.act("bookings/booking", booking_id[1], action="confirm_again", yes="Yes, confirm again")
    expect(desk.page.locator(".messagelist")).to_contain_text("Confirmed again: 1.")
    assert desk.found() == []


def test_finance_sends_money_back_and_reads_the_books(browser: Browser, stack: Stack) -> None:
    payment_id = _sell(stack, "Wanda Wolf", hour=14)
    desk = Desk.of(browser, stack, "paul", FINANCE, width=390)
    expect(desk.page.locator("figcaption").first).to_be_visible()
    desk.page.locator("figure summary").first.click()
    expect(desk.page.locator("figure table").first).to_be_visible()
    desk.open("Ledger")
    desk.act("payments/payment", payment_id, action="refund_what_is_left", yes="Yes, refund")

    expect(desk.page.locator(".messagelist")).to_contain_text("Refunds requested: 1.")
    desk.page.goto(f"{stack.url}/admin/")
    desk.open("Refunds")
    expect(desk.page.locator("#result_list")).to_contain_text("INR 1,299.00")
    assert desk.found() == []


def test_auditor_reads_consents_and_the_trail(browser: Browser, stack: Stack) -> None:
    _sell(stack, "Xenia Xu", hour=16)
    desk = Desk.of(browser, stack, "quinn", COMPLIANCE_AUDITOR, dark=True)
    assert desk.page.locator(".agenda").count() == 0
    for link in ("Consent documents", "Audit events", "Audit seals", "Consent records"):
        desk.open(link)
    desk.page.fill("#searchbar", "xenia@example.com")
    desk.page.keyboard.press("Enter")
    expect(desk.page.locator("#result_list tbody tr")).to_have_count(1)
    desk.page.get_by_role("link", name="Export for an auditor").click()
    desk.look()

    expect(desk.page.get_by_role("button", name="Export")).to_be_visible()
    assert desk.found() == []
