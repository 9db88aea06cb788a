"""Pictures of the back office, wide and on a phone: `make screenshots`. No part of `make test`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bookings.tests.journeys.browser import Browser
from bookings.tests.journeys.office import give_password, make_staff
from bookings.tests.journeys.stack import ROOT, Stack
from mindfulqalb.staff.roles import ADMINISTRATOR

if TYPE_CHECKING:
    import pytest
    from playwright.sync_api import Page

FOLDER = ROOT / ".data" / "screenshots"
WIDTHS = (1280, 390)
PAGES = {
    "first-page": "",
    "bookings": "bookings/booking/",
    "payments": "payments/payment/",
    "ledger": "bookings/ledgerentry/",
    "outbox": "outbox/outboxmessage/",
    "staff": "staff/staffmember/",
    "account": "account/",
}


def test_pictures(practice: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    account = make_staff(practice, "meera", ADMINISTRATOR)
    with Browser() as browser:
        for width in WIDTHS:
            for dark in (False, True):
                page = browser.page(width=width, dark=dark)
                page.goto(f"{practice.url}/admin/")
                _keep(page, f"login-{_name(width, dark=dark)}")
                give_password(page, practice, account)
                _keep_all(page, practice, _name(width, dark=dark))
                page.context.close()
    with capsys.disabled():
        print(f"\n{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER}")  # noqa: T201


def _keep_all(page: Page, practice: Stack, suffix: str) -> None:
    for name, address in PAGES.items():
        page.goto(f"{practice.url}/admin/{address}")
        _keep(page, f"{name}-{suffix}")
    page.goto(f"{practice.url}/admin/bookings/booking/")
    page.locator("#result_list tbody a").first.click()
    _keep(page, f"booking-{suffix}")


def _keep(page: Page, name: str) -> None:
    page.screenshot(path=Path(FOLDER / f"{name}.png"), full_page=True)


def _name(width: int, *, dark: bool) -> str:
    return f"{width}-dark" if dark else str(width)
