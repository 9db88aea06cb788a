"""Staff at their browser: an account as an administrator makes it, a second factor, and pages that are looked over."""

from __future__ import annotations

import re
from base64 import b32decode
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Self

from django_otp.oath import totp

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from bookings.tests.journeys.browser import Browser
    from bookings.tests.journeys.stack import Stack

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
# The places that make a page wider than its window, unless they scroll by themselves.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter(place => place.getBoundingClientRect().right > width + 1)
    .map(place => place.outerHTML.slice(0, 90)).slice(0, 3);
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@dataclass(frozen=True)
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
    """Open the admin and type name and password."""
    page.goto(f"{stack.url}/admin/")
    page.fill("#id_username", account.username)
    page.fill("#id_password", account.password)
    page.click(".submit-row [type=submit]")


def set_up_second_factor(page: Page, stack: Stack) -> str:
    """Enrol an authenticator app, and return the first recovery code."""
    page.goto(f"{stack.url}/admin/account/")
    page.click("text=Set up an authenticator app")
    secret = page.locator("code").inner_text().replace(" ", "")
    page.fill("#id_code", f"{totp(b32decode(secret)):06}")
    page.click(".submit-row [type=submit]")
    recovery_code = page.locator("li code").first.inner_text()
    page.click("text=I have kept them")
    return recovery_code


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

    @classmethod
    def of(
        cls, browser: Browser, stack: Stack, username: str, role: str, *, width: int = 1280, dark: bool = False
    ) -> Self:
        """Make an account, and sit down before the first page."""
        desk = cls(browser, stack, browser.page(width=width, dark=dark))
        desk.come_in(make_staff(stack, username, role))
        return desk

    def come_in(self, account: Account) -> None:
        """Log in for the first time, second factor and all."""
        self.page.goto(f"{self._stack.url}/admin/")
        self.look()
        give_password(self.page, self._stack, account)
        set_up_second_factor(self.page, self._stack)
        self.page.goto(f"{self._stack.url}/admin/")
        self.look()

    def look(self) -> None:
        """Look the page over: what bars people, and what has to be scrolled sideways."""
        self._barriers += barriers(self.page)
        self._barriers += [f"{self.page.url} is too wide: {place}" for place in self.page.evaluate(TOO_WIDE)]

    def open(self, link: str) -> None:
        """Go from the first page to a list, and look it over."""
        self.page.goto(f"{self._stack.url}/admin/")
        self.page.locator(".pages").get_by_role("link", name=link, exact=True).click()
        self.look()

    def act(self, model: str, search: str, *, action: str, yes: str) -> None:
        """Find a row, choose an action for it, and say yes to its question."""
        self.page.goto(f"{self._stack.url}/admin/{model}/?q={search}")
        self.page.locator("input.action-select").check()
        self.page.select_option("select[name=action]", action)
        self.look()
        self.page.click("button[name=index]")
        self.look()
        self.page.get_by_role("button", name=yes).click()

    def found(self) -> list[str]:
        """All that was wrong on the way."""
        return [*self._browser.complaints, *self._barriers]
