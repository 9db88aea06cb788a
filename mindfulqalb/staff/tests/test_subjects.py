"""What a row is about: in words, and as a link for those who may follow it."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.urls import reverse

from mindfulqalb.staff.roles import FINANCE, FRONT_DESK
from mindfulqalb.staff.subjects import way_to
from mindfulqalb.staff.tests.builders import make_member

pytestmark = pytest.mark.django_db

ID = UUID(int=7)


def test_way_leads_whoever_may_go_there() -> None:
    address = reverse("admin:payments_payment_change", args=[ID])

    ways = [way_to(f"payment:{ID}", make_member(role, username=role)) for role in (FINANCE, FRONT_DESK)]

    assert ways == [f'<a href="{address}">Payment 00000000</a>', "Payment 00000000"]


def test_way_takes_the_lane_of_a_message() -> None:
    address = reverse("admin:payments_payment_change", args=[ID])

    assert way_to(f"payment:{ID}:news", make_member(FINANCE)) == f'<a href="{address}">Payment 00000000</a>'


@pytest.mark.parametrize("subject", ["", "timetable", "model:bookings.booking", "booking:", "<b>:1"])
def test_what_nobody_has_named_stands_as_it_is(subject: str) -> None:
    assert way_to(subject, make_member(FINANCE)) == subject
