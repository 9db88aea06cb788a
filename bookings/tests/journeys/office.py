"""Staff at their browser: an account as an administrator makes it, a second factor, and pages that are looked over."""

from __future__ import annotations

import re
from base64 import b32decode
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from django_otp.oath import totp

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from bookings.tests.journeys.stack import Stack

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
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

    The debugger evaluates the script, so that the page's own policy stays as strict as for everybody.
    """
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", RULES)
    return [f"{page.url} {each['id']}: {each['nodes'][0]['html']}" for each in found["violations"]]
