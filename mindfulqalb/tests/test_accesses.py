"""Persons who ask are told who looked at their data: when, in which role and at what, and in nobody's name."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.tests.builders import JOHN, NOW, make_booking, make_wish
from mindfulqalb.audit.services import erase_payloads, record_read
from mindfulqalb.staff.roles import FRONT_DESK, THERAPIST
from mindfulqalb.staff.tests.builders import make_member
from mindfulqalb.subject_requests.gathering import gather, held_on, held_page
from mindfulqalb.subject_requests.services import receive_request

if TYPE_CHECKING:
    from bookings.models import Booking
    from mindfulqalb.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

EMAIL = "jane@example.com"


def look(booking: Booking, actor: str = "staff:1", hours: int = 0) -> AuditEvent:
    at = NOW + timedelta(hours=hours)
    words = {"fields": ["email", "name"], "reason": "Meera saw John Smith there"}
    return record_read(actor=actor, target=f"booking:{booking.id}", now=at, **words)  # type: ignore[arg-type]


def told() -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in held_on(EMAIL).get("access", [])]


def test_person_is_told_each_look_by_time_and_role() -> None:
    booking = make_booking()
    members = [make_member(THERAPIST, FRONT_DESK), make_member(username="ravi")]
    for hours, member in enumerate(reversed(members)):
        look(booking, f"staff:{member.pk}", hours)

    assert told() == [
        (NOW, "Staff", "booking", ["email", "name"]),
        (NOW + timedelta(hours=1), "Front desk, Therapist", "booking", ["email", "name"]),
    ]


def test_person_is_told_no_name_and_no_reason() -> None:
    member = make_member(THERAPIST)
    look(make_booking(), f"staff:{member.pk}")

    shown = held_page({"access": held_on(EMAIL)["access"]}, now=NOW)

    assert [word in shown for word in ("Therapist", "meera", "Meera", str(member.pk), "John")] == [True] + [False] * 4


def test_look_at_another_person_is_not_theirs() -> None:
    make_booking()
    look(make_booking(wish=make_wish(customer=JOHN), state="CANCELLED"))

    assert told() == []


def test_gathering_for_their_request_is_a_look_of_which_the_next_one_tells() -> None:
    request = receive_request(kind="access", email=EMAIL, wish="All", actor="staff:1", now=NOW)
    asked = {"email": EMAIL, "actor": "staff:1", "reason": "Asked", "target": f"subject_request:{request.id}"}

    gather(**asked, now=NOW)

    assert [(at, of, "booking" in fields) for at, _, of, fields in told()] == [(NOW, "subject_request", True)]


def test_look_stays_when_what_it_tells_is_erased() -> None:
    event = look(make_booking())
    erase_payloads(event_ids=[event.id], rule="IN-events", actor="system", now=NOW)

    assert told() == [(NOW, "Staff", "booking", [])]


def test_more_looks_take_no_more_questions() -> None:
    booking, counts = make_booking(), []
    for number in range(3):
        look(booking, f"staff:{make_member(THERAPIST, username=f'member{number}').pk}")
        with CaptureQueriesContext(connection) as captured:
            told()
        counts.append(len(captured))

    assert (counts[2], len(told())) == (counts[0], 3)
