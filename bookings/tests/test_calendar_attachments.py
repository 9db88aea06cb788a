"""The calendar files in the mails of one booking's life, as the client's calendar reads them."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

import pytest
from icalendar import Calendar

from bookings.letters import cancelled_letter, confirmation_letter, moved_letter
from bookings.tests.builders import make_upcoming
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.services import send_letter

if TYPE_CHECKING:
    from collections.abc import Callable

    from bookings.models import Booking
    from mindfulqalb.mail.services import Letter
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db


class Entry(NamedTuple):
    """What decides what a calendar does with a file."""

    method: str
    uid: str
    sequence: int
    status: str
    starts_at: datetime


def _mailed(write: Callable[..., Letter], booking: Booking) -> Entry:
    """Send the mail, and read the file that arrived, and what the mail says of it."""
    now, key = datetime.now(UTC), uuid4()
    send_letter(letter=write(booking, now=now), key=key, now=now)
    kept = email.message_from_bytes(SentMail.objects.get(key=key).content.encode(), policy=email.policy.default)
    (part,) = kept.iter_attachments()
    calendar = Calendar.from_ical(part.get_content())
    (component,) = calendar.walk("VEVENT")
    event: dict[str, Any] = dict(component.items())
    assert (part.get_content_type(), part.get_param("method")) == ("text/calendar", str(calendar["METHOD"]))
    return Entry(
        str(calendar["METHOD"]), str(event["UID"]), int(event["SEQUENCE"]), str(event["STATUS"]), event["DTSTART"].dt
    )


def _move(booking: Booking, days: int) -> None:
    booking.move(starts_at=booking.starts_at + timedelta(days=days), calendar_uid=f"moved{days}")
    booking.save()


def test_each_mail_replaces_the_entry_of_the_one_before(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    uid, start = f"{booking.id}@mindfulqalb.com", booking.starts_at

    entries = [_mailed(confirmation_letter, booking)]
    for days in (1, 2):
        _move(booking, days)
        entries.append(_mailed(moved_letter, booking))
    booking.cancel()
    booking.save()
    entries.append(_mailed(cancelled_letter, booking))

    assert entries == [
        Entry("PUBLISH", uid, 0, "CONFIRMED", start),
        Entry("PUBLISH", uid, 1, "CONFIRMED", start + timedelta(days=1)),
        Entry("PUBLISH", uid, 2, "CONFIRMED", start + timedelta(days=3)),
        Entry("CANCEL", uid, 3, "CANCELLED", start + timedelta(days=3)),
    ]


def test_confirmation_that_comes_after_a_move_carries_the_new_time(sandbox: SandboxProcess) -> None:
    booking = make_upcoming()
    _move(booking, 1)

    entry = _mailed(confirmation_letter, booking)

    assert (entry.sequence, entry.starts_at) == (1, booking.starts_at)
