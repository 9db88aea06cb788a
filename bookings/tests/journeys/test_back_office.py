"""Staff come in through a real browser, which knows rules that a test client does not."""

from __future__ import annotations

import re
import subprocess
import sys
from base64 import b32decode
from typing import TYPE_CHECKING

import pytest
from django_otp.oath import totp

from bookings.tests.journeys.browser import Browser
from bookings.tests.journeys.stack import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from bookings.tests.journeys.stack import Stack


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def _make_staff(stack: Stack, username: str, role: str) -> str:
    """Make an account as an administrator would, and return its password."""
    command = [sys.executable, "manage.py", "create_staff", username, "--email", f"{username}@example.com"]
    made = subprocess.run(
        [*command, "--role", role], cwd=ROOT, env=stack.environment, check=True, capture_output=True, text=True
    )
    match = re.search(r"password (\S+)$", made.stdout.strip())
    assert match
    return match[1]


def _give_password(page: Page, stack: Stack, username: str, password: str) -> None:
    page.goto(f"{stack.url}/admin/")
    page.fill("#id_username", username)
    page.fill("#id_password", password)
    page.click(".submit-row [type=submit]")


def test_staff_set_up_a_second_factor_and_come_in_by_it(browser: Browser, stack: Stack) -> None:
    password = _make_staff(stack, "fatima", "Front desk")
    page = browser.page()
    _give_password(page, stack, "fatima", password)
    page.goto(f"{stack.url}/admin/account/")
    page.click("text=Set up an authenticator app")
    secret = page.locator("code").inner_text().replace(" ", "")
    page.fill("#id_code", f"{totp(b32decode(secret)):06}")
    page.click(".submit-row [type=submit]")
    recovery_code = page.locator("li code").first.inner_text()
    page.click("text=I have kept them")
    page.click("#logout-form button")

    _give_password(page, stack, "fatima", password)
    page.fill("#id_code", recovery_code)
    page.click(".submit-row [type=submit]")

    assert page.url == f"{stack.url}/admin/"
    assert page.locator("#user-tools").inner_text().lower().startswith("welcome, fatima")
    assert browser.complaints == []
