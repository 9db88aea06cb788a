"""Staff of every role come in by both factors through a real browser, and do what they do most often.

Whatever the browser complains of, a breach of the content policy among it, and whatever axe-core finds against
WCAG 2.2 AA fails the journey.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from bookings.tests.builders import next_slot
from bookings.tests.journeys.browser import Browser
from bookings.tests.journeys.office import Desk, Office, come_in, give_password, make_staff
from bookings.tests.journeys.opening import GIVEN_UP
from bookings.tests.journeys.stack import wait_until
from mindfulqalb.staff.roles import FRONT_DESK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bookings.tests.journeys.stack import Stack

DAYS = 6  # the last day of the agenda; no other journey books so many days from now
OPENING = "from bookings.tests.journeys.opening import open_office; open_office()"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def office(browser: Browser, stack: Stack) -> Office:
    made = stack.manage("shell", "-v0", "-c", OPENING)
    assert made.returncode == 0, made.stderr
    return Office(browser, stack)


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


def test_new_colleague_sets_up_a_second_factor_and_comes_in_by_it(browser: Browser, stack: Stack) -> None:
    account = make_staff(stack, "fatima", FRONT_DESK)
    desk = Desk(browser, stack, browser.page(width=390))
    desk.page.goto(f"{stack.url}/admin/")
    desk.look()
    give_password(desk.page, stack, account)
    recovery_code = desk.set_up_second_factor()
    desk.page.click("#logout-form button")
    desk.look()

    come_in(desk.page, stack, account, recovery_code)

    assert desk.page.url == f"{stack.url}/admin/"
    assert desk.page.locator("#user-tools").inner_text().lower().startswith("welcome, fatima")
    assert desk.found() == []


def test_therapist_sees_the_day_and_notes_who_came(office: Office, stack: Stack) -> None:
    _sell(stack, "Ulla Unger", hour=10)
    desk = office.desk("asha", width=390, dark=True)

    desk.open_session("U. U.")
    expect(desk.page.locator("h1")).to_contain_text("booking")
    desk.show_in_full("She rings at the wrong door")
    expect(desk.page.locator("#content")).to_contain_text("Ulla Unger")
    desk.open("Calendar findings")
    desk.open("Bookings")

    over = "day=yesterday"
    desk.act("bookings/booking", over, action="note_absence", yes="Yes, they were missed")
    desk.is_told("Marked as missed: 1.")
    desk.act("bookings/booking", over, action="note_attendance", yes="Yes, they took place")
    desk.is_told("Marked as held: 1.")
    assert desk.found() == []


def test_front_desk_finds_moves_confirms_mails_and_cancels(office: Office, stack: Stack) -> None:
    _sell(stack, "Yara Yilmaz", hour=11)
    desk = office.desk("lena", width=390)

    desk.open("Bookings")
    desk.find("yara@example.com")
    desk.open_session("Y. Y.")
    desk.page.get_by_role("link", name="Move it…").click()
    desk.look()
    desk.page.get_by_label("15:00").check()
    desk.page.get_by_role("button", name="Move it to this time").click()
    desk.is_told("15:00; the client gets a mail.")
    booking = desk.row_id()
    wait_until(lambda: len(stack.mails_to("yara@example.com")) > 1, "the mail about the new time")

    desk.act("bookings/booking", f"q={booking}", action="confirm_again", yes="Yes, confirm again")
    desk.is_told("Confirmed again: 1.")
    desk.open("Sent mails")
    mail = f"q=booking:{booking}&template=moved"
    desk.act("mail/sentmail", mail, action="resend", yes="Yes, send again", reason="She has lost it")
    desk.is_told("Mails sent again: 1.")
    desk.act("bookings/booking", f"q={booking}", action="cancel_for_practice", yes="Yes, cancel")
    desk.is_told("Sessions cancelled: 1.")

    desk.page.goto(f"{stack.url}/admin/")
    expect(desk.page.locator(".agenda.today")).to_be_visible()
    assert "Y. Y." not in desk.page.locator("#content").inner_text()
    assert desk.found() == []


def test_finance_reads_the_books_and_sends_money_back(office: Office, stack: Stack) -> None:
    payment_id = _sell(stack, "Wanda Wolf", hour=14)
    desk = office.desk("paul", width=390)

    expect(desk.page.locator("figcaption").first).to_be_visible()
    desk.page.locator("figure summary").first.click()
    expect(desk.page.locator("figure table").first).to_be_visible()
    desk.open("Ledger")
    desk.page.goto(f"{stack.url}/admin/payments/payment/?q={payment_id}")
    desk.page.locator("#result_list tbody a").first.click()
    desk.page.get_by_role("link", name="Refund…").click()
    desk.page.fill("#id_amount", "649.50")
    desk.page.fill("#id_again", "649.50")
    desk.look()
    desk.page.get_by_role("button", name="Refund").click()
    desk.is_told("INR 649.50 goes back to the client; INR 649.50 of this payment is left.")
    desk.act("payments/payment", f"q={payment_id}", action="refund_what_is_left", yes="Yes, refund")
    desk.is_told("Refunds requested: 1.")

    desk.open("Refunds")
    expect(desk.page.locator("#result_list")).to_contain_text("INR 649.50")
    wait_until(lambda: stack.rows("SELECT 1 FROM receipts"), "a receipt")
    desk.open("Receipts")
    desk.page.locator("#result_list tbody a").first.click()
    desk.page.locator(".field-pdf a").click()
    desk.give_reason("Asked for at the counter")
    assert desk.found() == []


def test_auditor_reads_exports_and_holds(office: Office, stack: Stack) -> None:
    _sell(stack, "Xenia Xu", hour=16)
    desk = office.desk("quinn", dark=True)

    assert desk.page.locator(".agenda").count() == 0
    for link in ("Consent documents", "Audit events", "Audit seals", "Consent records"):
        desk.open(link)
    desk.find("xenia@example.com")
    desk.page.get_by_role("link", name="Export for an auditor").click()
    desk.page.fill("#id_reason", "The yearly look into consents")
    desk.look()
    with desk.page.expect_download() as exported:
        desk.page.get_by_role("button", name="Export").click()
    assert Path(exported.value.path()).read_bytes().startswith(b"PK")

    desk.open("Legal holds")
    desk.page.goto(f"{stack.url}/admin/retention/legalhold/add/")
    desk.page.fill("#id_email", "xenia@example.com")
    desk.page.fill("#id_reason", "A claim")
    desk.look()
    desk.page.click("[name=_save]")
    desk.is_told("was added successfully")
    desk.act(
        "retention/legalhold",
        "released_at__isempty=1",
        action="release",
        yes="Yes, release",
        reason="The claim is settled",
    )
    desk.is_told("Holds released: 1.")
    assert desk.found() == []


def test_administrator_keeps_the_practice_and_its_machinery_going(office: Office, stack: Stack) -> None:
    desk = office.desk("nadia")

    desk.open("Therapists")
    desk.page.locator("#result_list tbody a").first.click()
    desk.look()
    desk.page.select_option("#id_member", label="asha")
    desk.page.click("[name=_save]")
    desk.is_told("was changed successfully")
    desk.open("Session offers")
    desk.page.locator("#result_list tbody a").first.click()
    desk.page.fill("#id_position", "1")
    desk.look()
    desk.page.click("[name=_save]")
    desk.is_told("was changed successfully")
    desk.open("Staff members")
    desk.act("staff/staffmember", "q=ravi@example.com", action="reset_second_factor", yes="Yes, reset")
    desk.is_told("Second factors reset: 1.")
    desk.page.goto(f"{stack.url}/admin/subject_requests/subjectrequest/add/")
    desk.page.fill("#id_email", "xenia@example.com")
    desk.look()
    desk.page.click("[name=_save]")
    desk.is_told("was added successfully")

    desk.open("Outbox messages")
    desk.act("outbox/outboxmessage", "state__exact=DEAD&topic=calendar.attendance", action="retry", yes="Yes")
    desk.is_told(f"Retry dead messages: {GIVEN_UP} are being worked on.")
    desk.watch(until=f"{GIVEN_UP} of {GIVEN_UP} done.")
    assert desk.found() == []
