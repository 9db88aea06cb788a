"""A therapist sees their own sessions; who may see every therapist sees all."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bookings.models import Booking
from bookings.tests.builders import make_booking
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.staff.roles import ADMINISTRATOR, COMPLIANCE_AUDITOR, FRONT_DESK, THERAPIST
from mindfulqalb.staff.tests.builders import make_member

pytestmark = pytest.mark.django_db


def _book_two_therapists() -> tuple[Booking, Booking]:
    """One session of Asha's and one of Bela's, at the same hour."""
    hers = make_booking()
    bela = Therapist.objects.create(name="Dr. Bela", slug="bela")
    theirs = make_booking(therapist=bela, starts_at=hers.starts_at, ends_at=hers.starts_at + timedelta(minutes=50))
    return hers, theirs


@pytest.mark.parametrize(("role", "count"), [(FRONT_DESK, 2), (ADMINISTRATOR, 2), (THERAPIST, 0)])
def test_sessions_are_visible_by_role(role: str, count: int) -> None:
    _book_two_therapists()

    assert Booking.objects.visible_to(make_member(role)).count() == count


def test_therapist_sees_own_sessions_once_the_account_is_theirs() -> None:
    hers, _ = _book_two_therapists()
    member = make_member(THERAPIST)
    Therapist.objects.filter(id=hers.therapist_id).update(member=member)

    assert list(Booking.objects.visible_to(member)) == [hers]


def test_therapist_who_is_front_desk_too_sees_all() -> None:
    _book_two_therapists()

    assert Booking.objects.visible_to(make_member(THERAPIST, FRONT_DESK)).count() == 2


def test_person_who_is_no_therapist_sees_no_session_by_default() -> None:
    _book_two_therapists()

    assert Booking.objects.visible_to(make_member(COMPLIANCE_AUDITOR)).count() == 0
