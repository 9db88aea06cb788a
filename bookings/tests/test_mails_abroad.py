"""Whoever lives elsewhere reads their own time beside the practice's."""

from __future__ import annotations

from datetime import date, time
from typing import TYPE_CHECKING

import pytest

from bookings.letters import confirmation_letter
from bookings.states import BookingState
from bookings.tests.builders import NOW, make_booking, make_wish
from mindfulqalb.mail.services import send_letter

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db

PRACTICE = "10:00 AM \u2013 11:00 AM (Asia/Kolkata, GMT+5:30)"


def _mailed(sandbox: SandboxProcess, zone: str, *, day: date, locale: str = "en") -> str:
    wish = make_wish(day=day, clock=time(10, 0))
    booking = make_booking(
        wish=wish, state=BookingState.CONFIRMED, calcom_booking_id="uid1", time_zone=zone, locale=locale
    )
    send_letter(letter=confirmation_letter(booking, now=NOW), key=booking.id, now=NOW)
    (mail,) = sandbox.mailbox()
    assert ("Your time" in mail["html"]) == ("Your time" in mail["text"])
    return str(mail["text"])


@pytest.mark.parametrize(
    ("zone", "day", "theirs"),
    [
        # On both days when New York's clocks change, before and after.
        ("America/New_York", date(2027, 3, 14), "Saturday, 13 March 2027, 11:30 PM \u2013 12:30 AM"),
        ("America/New_York", date(2027, 3, 15), "Monday, 15 March 2027, 12:30 AM \u2013 1:30 AM"),
        ("America/New_York", date(2026, 11, 1), "Sunday, 1 November 2026, 12:30 AM \u2013 1:30 AM"),
        ("America/New_York", date(2026, 11, 2), "Sunday, 1 November 2026, 11:30 PM \u2013 12:30 AM"),
        ("Pacific/Kiritimati", date(2026, 12, 4), "Friday, 4 December 2026, 6:30 PM \u2013 7:30 PM"),
    ],
)
def test_mail_says_the_clients_time_too(zone: str, day: date, theirs: str, sandbox: SandboxProcess) -> None:
    text = _mailed(sandbox, zone, day=day)

    assert (PRACTICE in text, f"Your time: {theirs} ({zone.replace('_', ' ')}, GMT" in text) == (True, True)


@pytest.mark.parametrize("zone", ["", "Asia/Kolkata", "Asia/Calcutta", "Asia/Colombo", "Mars/Olympus_Mons"])
def test_mail_says_one_time_where_clocks_agree(zone: str, sandbox: SandboxProcess) -> None:
    assert "Your time" not in _mailed(sandbox, zone, day=date(2026, 12, 4))


def test_mail_says_the_clients_time_in_hindi(sandbox: SandboxProcess) -> None:
    assert "America/New York" in _mailed(sandbox, "America/New_York", day=date(2026, 12, 4), locale="hi")
