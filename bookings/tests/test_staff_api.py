"""`/api/staff/bookings`: by role, masked, page after page without a gap or a repetition."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from bookings import staff_views
from bookings.models import Booking
from bookings.practice_time import local
from bookings.states import BookingState
from bookings.tests.builders import make_upcoming, next_slot
from mindfulqalb.api.public_ids import BOOKING
from mindfulqalb.catalogue.models import Therapist
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.roles import FINANCE, FRONT_DESK, THERAPIST
from mindfulqalb.staff.tests.builders import PASSWORD, make_member
from mindfulqalb.staff.tokens import sign_in

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

LIST = "/api/staff/bookings"


def _come_in(api: APIClient, role: str) -> None:
    member = make_member(role, password=PASSWORD)
    _, pair = sign_in(username=member.username, password=PASSWORD, code="", now=timezone.now())
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")


def _ids(answer: Any) -> list[str]:
    return [each["bookingId"] for each in answer.json()["bookings"]]


def test_list_shows_a_session_and_masks_its_client(api: APIClient) -> None:
    booking = make_upcoming()
    _come_in(api, FRONT_DESK)

    answer = api.get(LIST)

    [shown] = answer.json()["bookings"]
    assert {name: shown[name] for name in ("bookingId", "state", "client", "email", "therapist")} == {
        "bookingId": BOOKING.encode(booking.id),
        "state": "confirmed",
        "client": "J… D…",
        "email": "j…@e….com",
        "therapist": booking.therapist.name,
    }
    assert ("jane" in answer.content.decode().lower(), answer.headers["Cache-Control"]) == (False, "no-store")
    assert api.get(f"{LIST}/{shown['bookingId']}").json() == shown


def test_pages_follow_each_other_without_gap_or_repetition(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff_views, "PAGE", 2)
    at_once = [make_upcoming(state=BookingState.CANCELLED) for _ in range(3)]
    later = make_upcoming(hour=15)
    _come_in(api, FRONT_DESK)

    pages: list[list[str]] = []
    place: str | None = ""
    while place is not None:
        answer = api.get(LIST, {"after": place} if place else {})
        pages.append(_ids(answer))
        place = answer.json()["next"]

    expected = [BOOKING.encode(row.id) for row in sorted(at_once, key=lambda row: row.id)]
    assert pages == [expected[:2], [expected[2], BOOKING.encode(later.id)]]


def test_list_is_filtered_by_day_and_state(api: APIClient) -> None:
    confirmed, cancelled = make_upcoming(), make_upcoming(hour=15, state=BookingState.CANCELLED)
    _come_in(api, FRONT_DESK)
    day, after = ((local(next_slot()).date() + timedelta(days=days)).isoformat() for days in (0, 1))

    found = [
        _ids(api.get(LIST, query))
        for query in ({"state": "cancelled"}, {"since": day, "until": day}, {"since": after}, {"state": "held"})
    ]

    both = [BOOKING.encode(row.id) for row in (confirmed, cancelled)]
    assert found == [both[1:], both, [], []]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "x"}, "after"),
        ({"after": "AAAA"}, "after"),
        ({"state": "gone"}, "state"),
        ({"since": "1"}, "since"),
        ({"until": "0001-01-01"}, "until"),
    ],
)
def test_bad_query_is_named(query: dict[str, str], field: str, api: APIClient) -> None:
    _come_in(api, FRONT_DESK)

    answer = api.get(LIST, query)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


def test_therapist_is_told_of_their_own_sessions_alone(api: APIClient) -> None:
    booking = make_upcoming()
    _come_in(api, THERAPIST)

    answers = [api.get(LIST), api.get(f"{LIST}/{BOOKING.encode(booking.id)}")]

    assert (_ids(answers[0]), answers[1].status_code) == ([], 404)
    Therapist.objects.filter(id=booking.therapist_id).update(member=StaffMember.objects.get(username="meera"))
    assert len(_ids(api.get(LIST))) == 1


def test_other_roles_and_strangers_are_refused(api: APIClient) -> None:
    stranger = api.get(LIST).status_code
    _come_in(api, FINANCE)

    assert (stranger, api.get(LIST).status_code) == (401, 403)


@pytest.mark.parametrize("count", [1, 3])
def test_list_costs_the_same_for_any_number(
    count: int, api: APIClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for hour in range(count):
        make_upcoming(hour=10 + hour)
    _come_in(api, FRONT_DESK)

    with django_assert_num_queries(4):
        api.get(LIST)

    assert Booking.objects.count() == count
