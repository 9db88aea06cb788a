"""A therapist sees their own sessions; who may see every therapist sees all."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from bookings.models import Booking, CalendarFinding
from bookings.tests.builders import NOW, make_booking, make_payment
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.staff.roles import ADMINISTRATOR, COMPLIANCE_AUDITOR, FRONT_DESK, THERAPIST
from mindfulqalb.staff.tests.builders import make_member, make_superuser

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


def _book_two_therapists() -> tuple[Booking, Booking]:
    """One session of Asha's and one of Bela's, at the same hour."""
    hers = make_booking()
    bela = Therapist.objects.create(name="Dr. Bela", slug="bela")
    theirs = make_booking(therapist=bela, starts_at=hers.starts_at, ends_at=hers.starts_at + timedelta(minutes=50))
    return hers, theirs


def _find(**overrides: Any) -> CalendarFinding:
    values = {"calendar_uid": overrides.pop("uid", "z"), "kind": "UNKNOWN", "starts_at": NOW}
    return CalendarFinding.objects.create(**values | overrides, found_at=NOW, seen_at=NOW)


@pytest.mark.parametrize(("role", "count"), [(FRONT_DESK, 2), (ADMINISTRATOR, 2), (THERAPIST, 0)])
def test_sessions_are_visible_by_role(role: str, count: int) -> None:
    _book_two_therapists()

    assert Booking.objects.visible_to(make_member(role)).count() == count


def test_therapist_sees_own_sessions_once_the_account_is_theirs() -> None:
    hers, _ = _book_two_therapists()
    member = make_member(THERAPIST)
    Therapist.objects.filter(id=hers.therapist_id).update(member=member)

    assert list(Booking.objects.visible_to(member)) == [hers]


@pytest.mark.parametrize("kind", [THERAPIST, FRONT_DESK])
def test_findings_are_visible_with_their_session_or_in_the_own_calendar(kind: str) -> None:
    hers, theirs = _book_two_therapists()
    offer = hers.offer
    offer.calendar_event_type = "777"
    offer.save()
    own = [_find(booking=hers, uid="a"), _find(event_type="777", uid="b")]
    others = [_find(booking=theirs, uid="c"), _find(event_type="888", uid="d"), _find(booking=theirs, event_type="777")]
    member = make_member(kind)
    Therapist.objects.filter(id=hers.therapist_id).update(member=member)

    visible = set(CalendarFinding.objects.visible_to(member))

    assert visible == set(own if kind == THERAPIST else own + others)


def test_findings_are_hidden_from_whoever_has_no_calendar() -> None:
    _find()

    assert list(CalendarFinding.objects.visible_to(make_member(THERAPIST))) == []


@pytest.mark.parametrize(("role", "shown"), [(FRONT_DESK, False), (ADMINISTRATOR, False), (None, True)])
def test_session_leads_nowhere_that_the_role_may_not_go(client: Client, role: str | None, shown: bool) -> None:
    booking = make_booking(payment=make_payment())
    client.force_login(make_member(role) if role else make_superuser())

    page = client.get(reverse("admin:bookings_booking_change", args=[booking.id])).content.decode()

    assert (str(booking.consent_id) in page, "/payments/payment/" in page) == (shown, shown or role == ADMINISTRATOR)


def test_therapist_who_is_front_desk_too_sees_all() -> None:
    _book_two_therapists()

    assert Booking.objects.visible_to(make_member(THERAPIST, FRONT_DESK)).count() == 2


def test_person_who_is_no_therapist_sees_no_session_by_default() -> None:
    _book_two_therapists()

    assert Booking.objects.visible_to(make_member(COMPLIANCE_AUDITOR)).count() == 0
