"""A therapist notes who came to many sessions at once: to their own, also by the time that a worker comes to them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking
from bookings.states import BookingState
from bookings.tests.builders import make_booking
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.bulk_actions.models import BulkAction
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.staff.roles import THERAPIST
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from datetime import datetime

    from django.test import Client

    from mindfulqalb.staff.models import StaffMember

pytestmark = pytest.mark.django_db

OUT_OF_REACH = "It is gone, or it is not yours to change any more."


def _sessions(count: int, now: datetime) -> list[Booking]:
    """Sessions of one therapist that are over, a day apart."""
    made = []
    for days in range(1, count + 1):
        starts_at = now - timedelta(days=days)
        made.append(
            make_booking(
                state=BookingState.COMPLETED,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=50),
                calcom_booking_id=f"uid{days}",
            )
        )
    return made


def _therapist(session: Booking, **named: str) -> StaffMember:
    member = make_member(THERAPIST, **named)
    Therapist.objects.filter(id=session.therapist_id).update(member=member)
    return member


def _note_absence(client: Client, sessions: list[Booking]) -> BulkAction:
    sent = {"action": "note_absence", "_selected_action": [str(each.pk) for each in sessions], "confirmed": "yes"}
    client.post(reverse("admin:bookings_booking_changelist"), sent)
    return BulkAction.objects.get()


def test_therapist_notes_many_absences_in_the_background(client: Client, now: datetime) -> None:
    sessions = _sessions(11, now)
    member = _therapist(sessions[0])
    client.force_login(member)
    begun = _note_absence(client, sessions)

    deliver_due(now=timezone.now(), limit=1)

    begun.refresh_from_db()
    assert (begun.done_count, begun.not_done_count, begun.finished_at is not None) == (11, 0, True)
    assert set(Booking.objects.values_list("state", flat=True)) == {"NO_SHOW"}
    assert set(AuditEvent.objects.filter(action="booking.missed").values_list("actor", flat=True)) == {
        f"staff:{member.id}"
    }


def test_session_that_went_to_a_colleague_meanwhile_is_left_alone_and_named(client: Client, now: datetime) -> None:
    sessions = _sessions(11, now)
    client.force_login(_therapist(sessions[0]))
    begun = _note_absence(client, sessions)
    bela = Therapist.objects.create(name="Dr. Bela", slug="bela", member=make_member(THERAPIST, username="bela"))
    Booking.objects.filter(id=sessions[4].id).update(therapist=bela)

    deliver_due(now=timezone.now(), limit=1)

    begun.refresh_from_db()
    page = client.get(reverse("admin:bulk_actions_bulkaction_change", args=[begun.id])).content.decode()
    assert (begun.done_count, begun.not_done_count) == (10, 1)
    assert Booking.objects.get(id=sessions[4].id).state == "COMPLETED"
    assert page.count(OUT_OF_REACH) == 1


def test_colleague_does_not_find_the_bulk_action(client: Client, now: datetime) -> None:
    sessions = _sessions(11, now)
    client.force_login(_therapist(sessions[0]))
    begun = _note_absence(client, sessions)
    client.force_login(make_member(THERAPIST, username="bela"))

    opened = client.get(reverse("admin:bulk_actions_bulkaction_change", args=[begun.id]))
    listed = client.get(reverse("admin:bulk_actions_bulkaction_changelist")).context["cl"].result_list

    assert (opened.status_code, len(listed)) == (302, 0)
