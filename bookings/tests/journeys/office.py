"""Staff at their browser: an account as an administrator makes it, a second factor, and pages that are looked over."""

from __future__ import annotations

import re
from base64 import b32decode
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from django_otp.oath import totp
from playwright.sync_api import expect

from mindfulqalb.staff.tests.builders import PASSWORD, SECRET

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from bookings.tests.journeys.browser import Browser
    from bookings.tests.journeys.stack import Stack

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
# The places that make a page wider than its window, unless they scroll by themselves, and those whose end is cut off.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  const isPushed = document.documentElement.scrollWidth > width;
  return [...document.querySelectorAll("body *")]
    .filter(place => (isPushed && place.getBoundingClientRect().right > width + 1)
      || (place.matches(".form-row") && place.scrollWidth > place.clientWidth + 1))
    .map(place => place.outerHTML.slice(0, 90)).slice(0, 3);
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


# Whoever was given a password chooses this one.
CHOSEN = "a-river-in-the-hills-7"


@dataclass
class Account:
    """What somebody needs to log in."""

    username: str
    password: str


def make_staff(stack: Stack, username: str, role: str) -> Account:
    """Make an account as an administrator would."""
    made = stack.manage("create_staff", username, "--email", f"{username}@example.com", "--role", role)
    match = re.search(r"password (\S+)$", made.stdout.strip())
    assert match
    return Account(username, match[1])


def give_password(page: Page, stack: Stack, account: Account) -> None:
    """Open the admin and type name and password; the first time, choose one of one's own."""
    page.goto(f"{stack.url}/admin/")
    page.fill("#id_username", account.username)
    page.fill("#id_password", account.password)
    page.click(".submit-row [type=submit]")
    if page.url.endswith("/password_change/"):
        for name, typed in (("old_password", account.password), ("new_password1", CHOSEN), ("new_password2", CHOSEN)):
            page.fill(f"#id_{name}", typed)
        page.click(".submit-row [type=submit]")
        account.password = CHOSEN


def code_of(secret: str) -> str:
    """Read the code of this moment from an authenticator app."""
    return f"{totp(b32decode(secret)):06}"


def come_in(page: Page, stack: Stack, account: Account, code: str) -> None:
    """Log in with both factors."""
    give_password(page, stack, account)
    page.fill("#id_code", code)
    page.click(".submit-row [type=submit]")


def barriers(page: Page) -> list[str]:
    """Name what axe-core finds on a page against WCAG 2.2 AA, each with the first place where it stands.

    The debugger evaluates the script, so that the page's own policy stays as strict as for everybody; without preload
    it does not copy style sheets into the page, which that policy would refuse.
    """
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, preload: false})", RULES)
    return [f"{page.url} {each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]


class Desk:
    """Somebody at work; every page that they look at is looked over."""

    def __init__(self, browser: Browser, stack: Stack, page: Page) -> None:
        self.page = page
        self._browser, self._stack = browser, stack
        self._barriers: list[str] = []

    def set_up_second_factor(self) -> str:
        """Enrol an authenticator app, and return the first recovery code."""
        self.page.goto(f"{self._stack.url}/admin/account/")
        self.look()
        self.page.click("text=Set up an authenticator app")
        self.look()
        secret = self.page.locator("code").inner_text().replace(" ", "")
        self.page.fill("#id_code", code_of(secret))
        self.page.click(".submit-row [type=submit]")
        recovery_code = self.page.locator("li code").first.inner_text()
        self.look()
        self.page.click("text=I have kept them")
        return recovery_code

    def look(self) -> None:
        """Look the page over: what bars people, and what has to be scrolled sideways."""
        self._barriers += barriers(self.page)
        self._barriers += [f"{self.page.url} is too wide: {place}" for place in self.page.evaluate(TOO_WIDE)]

    def open(self, link: str) -> None:
        """Go from the first page to a list, and look it over."""
        self.page.goto(f"{self._stack.url}/admin/")
        self.page.locator(".pages").get_by_role("link", name=link, exact=True).click()
        self.look()

    def open_session(self, client: str) -> None:
        """Go from the first page to the session of whoever has these initials, and look it over."""
        self.page.goto(f"{self._stack.url}/admin/")
        self.page.locator(".agenda.coming li", has_text=client).get_by_role("link").click()
        self.look()

    def find(self, email: str) -> None:
        """Search the list for a client, of whom it has one row."""
        self.page.fill("#searchbar", email)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#result_list tbody tr")).to_have_count(1)
        self.look()

    def row_id(self) -> str:
        """Read of which row the page is."""
        return self.page.url.removesuffix("/change/").rpartition("/")[2]

    def act(self, model: str, query: str, *, action: str, yes: str, reason: str = "") -> None:
        """Choose the rows of a list and an action for them, and say yes to its question."""
        self.page.goto(f"{self._stack.url}/admin/{model}/?{query}")
        for box in self.page.locator("input.action-select").all():
            box.check()
        self.page.select_option("select[name=action]", action)
        self.page.click("button[name=index]")
        self.look()
        if reason:
            self.page.fill("#id_reason", reason)
        self.page.get_by_role("button", name=yes, exact=True).click()

    def show_in_full(self, reason: str) -> None:
        """Ask to see who it is, and say why."""
        self.page.get_by_role("link", name="Show in full").click()
        self.give_reason(reason)

    def give_reason(self, reason: str) -> None:
        """Say why, on the page that asks before it shows a person."""
        self.look()
        self.page.fill("#id_reason", reason)
        self.page.get_by_role("button", name="Show for 15 minutes").click()

    def watch(self, *, until: str) -> None:
        """Look at a bulk action, again and again by its own link, until it says so."""
        self.look()
        shown = self.page.locator("#content")
        again = self.page.get_by_role("link", name="Look again", exact=True)
        while until not in shown.inner_text():
            again.click()
        self.look()

    def is_told(self, words: str) -> None:
        """Expect the page to say what has been done."""
        expect(self.page.locator(".messagelist")).to_contain_text(words)

    def found(self) -> list[str]:
        """All that was wrong on the way."""
        return [*self._browser.complaints, *self._barriers]


@dataclass(frozen=True)
class Office:
    """Where those work whom `opening` has made."""

    browser: Browser
    stack: Stack

    def desk(self, username: str, *, width: int = 1280, dark: bool = False) -> Desk:
        """Come in by both factors, and sit down before the first page."""
        desk = Desk(self.browser, self.stack, self.browser.page(width=width, dark=dark))
        come_in(desk.page, self.stack, Account(username, PASSWORD), code_of(SECRET))
        expect(desk.page.locator(".pages").first).to_be_visible()
        desk.look()
        return desk
