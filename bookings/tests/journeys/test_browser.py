"""People book in a real browser, on the real page, and pay in the sandbox."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from bookings.tests.journeys.browser import Browser
from bookings.tests.journeys.stack import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, Route

    from bookings.tests.journeys.stack import Stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def _next(page: Page, step: str) -> None:
    page.click(f"[data-step={step}] [data-action=next]")


def _choose(page: Page, stack: Stack, *, session: str = "individual", currency: str | None = "INR") -> None:
    page.goto(stack.url)
    page.check(f"[name=sessionType][value={session}]")
    if currency:
        page.check("[name=format][value=video]")
        page.check(f"[name=currency][value={currency}]")
    _next(page, "session")
    page.locator("button.slot:not([disabled])").last.click()
    _next(page, "slot")


def _introduce(page: Page, email: str, *, phone: str = "+91 98765 43210") -> None:
    page.fill("#name", "Jane Doe")
    page.fill("#email", email)
    page.fill("#phone", phone)
    page.check("[name=ageBand][value=adult]")
    _next(page, "details")


def _agree(page: Page) -> None:
    page.wait_for_selector("[name=acknowledgments]")
    for box in page.locator("[name=acknowledgments]:visible").all():
        box.check()
    _next(page, "consent")


def _pay_in_dialog(page: Page) -> None:
    page.click("[data-action=pay]")
    page.frame_locator("iframe.razorpay-checkout-frame").locator("button", has_text="Pay").first.click()


def _walk_to_payment(page: Page, stack: Stack, email: str, *, currency: str = "INR") -> None:
    _choose(page, stack, currency=currency)
    _introduce(page, email)
    _agree(page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_booking_page_with_razorpay_ends_confirmed(width: int, dark: bool, browser: Browser, stack: Stack) -> None:
    email = f"razorpay{width}@example.com"
    page = browser.page(width=width, dark=dark)
    _walk_to_payment(page, stack, email)
    # The first free day may be nearer than the rule for all of the price.
    terms = re.compile(r"(until .+, \d+:\d\d [AP]M: all of it back; after that half|half of the price comes back)\.$")
    expect(page.locator("#cancellation-terms")).to_have_text(terms)
    expect(page.locator("#payment-summary [data-summary=therapist]")).to_have_text("MindfulQALB")

    _pay_in_dialog(page)

    expect(page.locator("#confirmation-link")).to_be_visible()
    expect(page.locator("#done-panel [data-summary=therapist]")).to_have_text("MindfulQALB")
    assert page.get_attribute("#confirmation-link", "href") == _calendar_page(stack, email)
    mail = wait_until(lambda: stack.mails_to(email), "the mail")[0]
    assert mail["subject"] == "Your appointment is confirmed"
    assert [attachment["filename"] for attachment in mail["attachments"]] == ["session.ics"]
    assert browser.complaints == []


def test_booking_page_says_at_once_that_a_number_is_too_short(browser: Browser, stack: Stack) -> None:
    page = browser.page(width=360)
    _choose(page, stack)
    _introduce(page, "short@example.com", phone="\u096f\u096e\u096d\u096c\u096b")
    expect(page.locator("#phone-error")).to_contain_text("country code")

    page.fill("#phone", "98765 43210")
    _next(page, "details")

    page.wait_for_selector("[name=acknowledgments]:visible")
    assert browser.complaints == []


def test_booking_page_with_stripe_ends_confirmed(browser: Browser, stack: Stack) -> None:
    page = browser.page()
    _walk_to_payment(page, stack, "stripe@example.com", currency="USD")
    page.click("[data-action=pay]")
    page.wait_for_url("**/stripe/pay/**")

    page.locator("button", has_text="Pay").first.click()

    expect(page.locator("#confirmation-link")).to_be_visible()
    assert stack.sandbox.state()["stripe"]["sessions"][-1]["amount_total"] == 1600
    assert wait_until(lambda: stack.mails_to("stripe@example.com"), "the mail") != []
    assert browser.complaints == []


def test_booking_page_with_the_free_call_needs_no_payment(browser: Browser, stack: Stack) -> None:
    page = browser.page()
    _choose(page, stack, session="free", currency=None)
    _introduce(page, "free@example.com")
    _agree(page)
    expect(page.locator("#cancellation-terms")).to_be_hidden()

    page.click("[data-action=pay]")

    expect(page.locator("#confirmation-link")).to_be_visible()
    assert browser.complaints == []


def _tick_all_by_keyboard(page: Page) -> None:
    """Tab from the step's heading to its button, and tick each box on the way."""
    for _ in range(40):
        page.keyboard.press("Tab")
        kind = page.evaluate("document.activeElement.type")
        if kind == "submit":
            return
        if kind == "checkbox":
            page.keyboard.press("Space")


def _faults(page: Page) -> list[str]:
    """What a screen reader's user would stumble over, as far as a machine can tell."""
    return [fault["id"] for fault in Axe().run(page).response["violations"]]


@pytest.mark.parametrize("dark", [False, True])
def test_booking_page_for_somebody_under_18_by_keyboard_alone(browser: Browser, stack: Stack, dark: bool) -> None:
    page = browser.page(width=360, dark=dark)
    _choose(page, stack, session="free", currency=None)
    for typed in ("Young Jane", f"young{dark}@example.com", ""):
        page.keyboard.press("Tab")
        page.keyboard.type(typed)
    for key in ("Tab", "Space", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#assent-list input")

    _tick_all_by_keyboard(page)
    faults = _faults(page)
    page.keyboard.press("Enter")
    expect(page.locator("#guardian-name")).to_be_focused()
    faults += _faults(page)
    for typed in ("Asha Doe", "asha@example.com", "Mother"):
        page.keyboard.type(typed)
        page.keyboard.press("Tab")
    page.locator("[data-step=consent] button[type=submit]").press("Enter")
    page.click("[data-action=pay]")

    expect(page.locator("#confirmation-link")).to_be_visible()
    assert (faults, browser.complaints) == ([], [])


def test_consent_link_in_the_mail_withdraws_with_one_click(browser: Browser, stack: Stack) -> None:
    email = "withdraws@example.com"
    page = browser.page()
    _choose(page, stack, session="free", currency=None)
    _introduce(page, email)
    _agree(page)
    page.click("[data-action=pay]")
    text = wait_until(lambda: stack.mails_to(email), "the mail")[0]["text"]
    page.goto(next(word for word in text.split() if "/consent/" in word))

    page.click("text=Withdraw my consent")

    expect(page.locator("[data-state]")).to_have_attribute("data-state", "withdrawn")
    mail = wait_until(lambda: stack.mails_to(email)[1:], "the second mail")[0]
    assert (mail["subject"], mail["text"].count("/manage/")) == ("We have stopped, as you asked", 1)
    assert browser.complaints == []


@pytest.mark.parametrize("currency", ["INR", "USD"])
def test_booking_page_closed_right_after_paying_is_booked_all_the_same(
    currency: str, browser: Browser, stack: Stack
) -> None:
    email = f"closed.{currency.lower()}@example.com"
    page = browser.page()
    _walk_to_payment(page, stack, email, currency=currency)
    page.click("[data-action=pay]")
    if currency == "INR":
        page.wait_for_selector("iframe.razorpay-checkout-frame")
        stack.sandbox.pay_razorpay(stack.sandbox.state()["razorpay"]["orders"][-1]["id"])
    else:
        page.wait_for_url("**/stripe/pay/**")
        stack.sandbox.pay_stripe(stack.sandbox.state()["stripe"]["sessions"][-1]["id"])

    page.context.close()

    mail = wait_until(lambda: stack.mails_to(email), "the mail")[0]
    assert mail["subject"] == "Your appointment is confirmed"


def test_booking_page_dismissed_dialog_keeps_the_slot_and_pays_again(browser: Browser, stack: Stack) -> None:
    page = browser.page()
    _walk_to_payment(page, stack, "dismissed@example.com")
    page.click("[data-action=pay]")
    # The dialog listens once it stands, and not as soon as its frame does.
    page.frame_locator("iframe.razorpay-checkout-frame").locator("button", has_text="Pay").first.wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector("#payment-notice:visible")

    _pay_in_dialog(page)

    expect(page.locator("#confirmation-link")).to_be_visible()
    assert browser.complaints == []


def test_booking_page_pressed_to_pay_while_the_terms_are_fetched_pays(browser: Browser, stack: Stack) -> None:
    page = browser.page()
    on_their_way: list[Route] = []
    asks = re.compile(r"/api/catalogue\?")
    # A built-in cannot carry the mark that Playwright puts on a handler.
    page.route(asks, lambda route: on_their_way.append(route))  # noqa: PLW0108
    with page.expect_request(asks):
        _walk_to_payment(page, stack, "quick@example.com")
    with page.expect_request("**/api/bookings/hold"):
        page.click("[data-action=pay]")
        on_their_way[0].continue_()

    page.wait_for_selector("iframe.razorpay-checkout-frame")

    assert (len(on_their_way), browser.complaints) == (1, [])


def _answer_for_the_hold(page: Page, **changes: Any) -> None:
    """Have the server say something else about the hold, as it does when time has passed or its worker was faster."""

    def changed(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=answer.json() | changes)

    page.route(re.compile(r"/api/bookings/(hold|booking_\w+)$"), changed)


def _dismiss_dialog(page: Page) -> None:
    page.click("[data-action=pay]")
    page.frame_locator("iframe.razorpay-checkout-frame").locator("button", has_text="Pay").first.wait_for()
    page.keyboard.press("Escape")


def test_booking_page_dismissed_dialog_of_a_hold_that_ran_out_says_so(browser: Browser, stack: Stack) -> None:
    page = browser.page()
    _walk_to_payment(page, stack, "late@example.com")
    _answer_for_the_hold(page, expiresAt="2026-01-01T00:00:00+05:30")

    _dismiss_dialog(page)

    expect(page.locator("#payment-notice")).to_contain_text("We could not keep the time any longer")
    expect(page.locator("[data-action=pay]")).to_be_enabled()
    assert browser.complaints == []


CREDIT = {"chooseAgainUrl": "/?session=individual-video&payment=pay_of_the_hold"}


def test_booking_page_books_the_time_of_a_hold_that_was_paid_when_it_had_run_out(
    browser: Browser, stack: Stack
) -> None:
    page = browser.page()
    _walk_to_payment(page, stack, "paid.late@example.com")
    _answer_for_the_hold(page, status="expired", credit=CREDIT)
    booked = {"success": True, "bookingId": "booking_x", "status": "confirmed", "confirmationUrl": stack.url}
    page.route("**/api/bookings", lambda route: route.fulfill(status=201, json=booked))

    with page.expect_request("**/api/bookings") as asked:
        _dismiss_dialog(page)

    expect(page.locator("#confirmation-link")).to_be_visible()
    assert json.loads(asked.value.post_data or "")["paymentId"] == "pay_of_the_hold"
    assert browser.complaints == []


@pytest.mark.parametrize(
    ("status", "sentence"), [("rejected", "this time is no longer free"), ("cancelled", "You have paid already")]
)
def test_booking_page_offers_another_time_to_whoever_has_paid(
    status: str, sentence: str, browser: Browser, stack: Stack
) -> None:
    page = browser.page()
    _walk_to_payment(page, stack, f"{status}@example.com")
    _answer_for_the_hold(page, status=status, credit=CREDIT)

    _dismiss_dialog(page)

    expect(page.locator("#choose-again")).to_contain_text(sentence)
    expect(page.locator("[data-step=slot] button[type=submit]")).to_have_text("Book this time")
    assert browser.complaints == []


def test_booking_page_lets_whoever_has_their_money_back_pay_anew(browser: Browser, stack: Stack) -> None:
    page = browser.page()
    _walk_to_payment(page, stack, "anew@example.com")
    _answer_for_the_hold(page, status="expired", credit=CREDIT)
    refused = {"success": False, "error": "It has gone back.", "code": "payment_refunded", "fields": {}}
    page.route("**/api/bookings", lambda route: route.fulfill(status=409, json=refused))

    _dismiss_dialog(page)

    expect(page.locator("#problem-text")).to_have_text("It has gone back.")
    expect(page.locator("[data-action=pay]")).to_contain_text("Pay ")
    expect(page.locator("#cancellation-terms")).to_contain_text("back")


def test_booking_page_by_the_link_in_a_mail_says_that_it_is_paid_and_not_that_somebody_was_quicker(
    browser: Browser, stack: Stack
) -> None:
    page = browser.page()

    page.goto(f"{stack.url}{CREDIT['chooseAgainUrl']}")

    expect(page.locator("#choose-again-why")).to_contain_text("You have paid already")
    expect(page.locator("#choose-again")).not_to_contain_text("no longer free")
    assert browser.complaints == []


IN_APP = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/140.0.0.0 Mobile Safari/537.36 Instagram 400.0.0.0"
)


def test_booking_page_inside_another_app_pays_on_razorpays_page_and_comes_back(browser: Browser, stack: Stack) -> None:
    email = "inapp@example.com"
    page = browser.page(width=390, agent=IN_APP)
    _walk_to_payment(page, stack, email)

    with page.expect_request("**/api/payments/razorpay-return") as returned:
        _pay_in_dialog(page)

    expect(page.locator("#confirmation-link")).to_be_visible()
    assert (returned.value.method, page.url.removeprefix(stack.url)) == ("POST", "/")
    assert page.get_attribute("#confirmation-link", "href") == _calendar_page(stack, email)
    assert browser.complaints == []


def test_booking_page_inside_another_app_pays_again_after_a_failure(browser: Browser, stack: Stack) -> None:
    page = browser.page(width=390, agent=IN_APP)
    _walk_to_payment(page, stack, "inapp.failed@example.com")
    page.click("[data-action=pay]")
    dialog = page.frame_locator("iframe.razorpay-checkout-frame")
    dialog.locator("[data-outcome=failed]").click()
    expect(page.locator("#payment-notice")).to_contain_text("You came back without paying")

    _pay_in_dialog(page)

    expect(page.locator("#confirmation-link")).to_be_visible()
    assert browser.complaints == []


def test_manage_link_in_the_mail_shows_the_session(browser: Browser, stack: Stack) -> None:
    email = "manage@example.com"
    page = browser.page()
    _walk_to_payment(page, stack, email)
    _pay_in_dialog(page)
    text = wait_until(lambda: stack.mails_to(email), "the mail")[0]["text"]
    link = next(word for word in text.split() if "/manage/" in word)

    page.goto(link)

    expect(page.locator("[data-state]")).to_have_attribute("data-state", "confirmed")
    expect(page.locator("a[href^='tel:14416']").first).to_be_visible()
    assert browser.complaints == []


def test_helplines_stand_on_the_page_without_javascript(stack: Stack, browser: Browser) -> None:
    page = browser._chromium.new_context(java_script_enabled=False).new_page()

    page.goto(stack.url)

    expect(page.locator("a[href^='tel:14416']").first).to_be_visible()


def _calendar_page(stack: Stack, email: str) -> str:
    appointments = stack.sandbox.state()["calcom"]["bookings"]
    (uid,) = [item["uid"] for item in appointments if email in str(item["attendees"])]
    return f"{stack.sandbox.url}/calcom/booking/{uid}"
