"""The pages for people: they show the books, and their forms do what the control API does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import requests

from mindfulqalb.sandbox.faults import KINDS
from mindfulqalb.sandbox.pages.presets import GROUPS, Preset
from mindfulqalb.sandbox.tests.clients import book, iso, local_moment, make_order, make_session
from mindfulqalb.sandbox.tests.test_mailbox import letter, send

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

PAGES = ["/", "/calendar", "/payments", "/mail", "/trouble", "/calls"]
PRESETS = [preset for group in GROUPS for preset in group.presets]


def get(sandbox: SandboxProcess, path: str) -> str:
    response = requests.get(f"{sandbox.url}{path}", timeout=10)
    assert response.status_code == 200, path
    return response.text


def post(sandbox: SandboxProcess, path: str, **fields: str) -> tuple[int, str]:
    response = requests.post(f"{sandbox.url}{path}", data=fields, allow_redirects=False, timeout=10)
    return response.status_code, response.headers["Location"]


def fill(sandbox: SandboxProcess) -> None:
    book(sandbox, local_moment(1, 10))
    sandbox.pay_razorpay(make_order(sandbox, receipt="bk_1")["id"])
    sandbox.pay_stripe(make_session(sandbox).id)
    send(sandbox, letter())
    sandbox.fault("calcom", "slot_taken")


@pytest.mark.parametrize("page", PAGES)
def test_pages_show_an_empty_sandbox_and_a_full_one(sandbox: SandboxProcess, page: str) -> None:
    empty = get(sandbox, page)
    fill(sandbox)
    full = get(sandbox, page)

    assert empty != full


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_no_inline_script_or_style_and_nothing_from_elsewhere(sandbox: SandboxProcess, page: str) -> None:
    fill(sandbox)

    text = get(sandbox, page)

    assert re.findall(r"<script(?! src=\"/static/)|<style| style=| on[a-z]+=\"", text) == []
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//(?!127\.0\.0\.1)", text) == []


def test_static_files_are_served_and_others_are_not(sandbox: SandboxProcess) -> None:
    css = requests.get(f"{sandbox.url}/static/sandbox.css", timeout=10)
    other = requests.get(f"{sandbox.url}/static/..%2Fsettings.py", timeout=10)

    assert (css.status_code, css.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert other.status_code == 404


def test_home_links_to_the_booking_page(sandbox: SandboxProcess) -> None:
    sandbox.set_web("http://127.0.0.1:4321")

    assert '<a class="button primary big" href="http://127.0.0.1:4321/">' in get(sandbox, "/")


def test_calendar_shows_the_week_of_a_booking(sandbox: SandboxProcess) -> None:
    book(sandbox, local_moment(21, 10))
    day = local_moment(21, 10).date().isoformat()

    assert "Asha Rao" in get(sandbox, f"/calendar?week={day}")
    assert "Asha Rao" not in get(sandbox, "/calendar")


def test_calendar_form_moves_a_booking(sandbox: SandboxProcess) -> None:
    uid = book(sandbox, local_moment(3, 10))["uid"]

    answer = post(
        sandbox, f"/control/calcom/bookings/{uid}/reschedule", start=iso(local_moment(3, 14)), next="/calendar"
    )

    assert answer == (303, "/calendar")
    starts = [booking["start"] for booking in sandbox.state()["calcom"]["bookings"] if booking["status"] == "accepted"]
    assert starts == [iso(local_moment(3, 14)).replace("Z", ".000Z")]


def test_form_that_cannot_be_done_says_why(sandbox: SandboxProcess) -> None:
    uid = book(sandbox, local_moment(3, 10))["uid"]

    status, location = post(sandbox, f"/control/calcom/bookings/{uid}/confirm", next="/calendar")

    assert (status, location) == (303, "/calendar?problem=Booking+already+confirmed")
    assert "Booking already confirmed" in get(sandbox, location)


def test_form_never_leads_elsewhere(sandbox: SandboxProcess) -> None:
    assert post(sandbox, "/control/reset", next="//evil.example/") == (303, "/")


def test_payments_form_pays_and_settles(sandbox: SandboxProcess) -> None:
    order_id = make_order(sandbox)["id"]

    answer = post(sandbox, f"/payments/razorpay/{order_id}", outcome="failed")
    payment_id = sandbox.state()["razorpay"]["payments"][0]["id"]
    post(sandbox, f"/control/razorpay/payments/{payment_id}/settle", status="captured", next="/payments")

    assert answer == (303, "/payments")
    assert sandbox.state()["razorpay"]["payments"][0]["status"] == "captured"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.title)
def test_presets_switch_their_fault_on(sandbox: SandboxProcess, preset: Preset) -> None:
    fields = {"json": preset.json, "next": "/trouble"}

    assert post(sandbox, "/control/faults", **fields) == (303, "/trouble")
    assert [fault["kind"] for fault in sandbox.state()["faults"]] == [preset.fault["kind"]]


def test_trouble_form_reads_numbers_words_and_parameters(sandbox: SandboxProcess) -> None:
    fields = {
        "vendor": "calcom",
        "call": "bookings.*",
        "kind": "delay",
        "times": "null",
        "parameters": "seconds=5 done=true",
    }

    post(sandbox, "/control/faults", **fields)

    fault = sandbox.state()["faults"][0]
    assert [fault[name] for name in ("call", "times", "seconds", "done")] == ["bookings.*", None, 5, True]


def test_trouble_page_lists_every_kind(sandbox: SandboxProcess) -> None:
    text = get(sandbox, "/trouble")

    assert [name for name in KINDS if f"<code>{name}</code>" not in text] == []
