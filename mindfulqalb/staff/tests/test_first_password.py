"""A password that somebody else has chosen or seen opens one page: the one on which it is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from mindfulqalb.staff.accounts import create_staff
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.roles import ADMINISTRATOR, FRONT_DESK, load_roles
from mindfulqalb.staff.site import CHOOSE_FIRST
from mindfulqalb.staff.tests.builders import PASSWORD, log_in, make_member

if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

CHANGE = "/admin/password_change/"
OWN = "a-river-in-the-hills-7"


@pytest.fixture
def given() -> str:
    """The printed password of an account that was just made."""
    load_roles()
    _, password = create_staff(
        username="ravi", email="ravi@example.com", roles=[FRONT_DESK], full_name="", actor="test", now=timezone.now()
    )
    return password


def _come_in(client: Client, password: str) -> str:
    answer = client.post("/admin/login/", {"username": "ravi", "password": password, "next": "/admin/"}, follow=True)
    return str(answer.request["PATH_INFO"])


def _change(client: Client, old: str, new: str) -> int:
    return client.post(CHANGE, {"old_password": old, "new_password1": new, "new_password2": new}).status_code


def test_printed_password_leads_to_the_page_that_changes_it_and_nowhere_else(client: Client, given: str) -> None:
    assert _come_in(client, given) == CHANGE

    pages = [client.get(page) for page in ("/admin/", "/admin/bookings/booking/", "/admin/account/")]
    assert [(page.status_code, page.headers["Location"]) for page in pages] == [(302, CHANGE)] * 3
    assert CHOOSE_FIRST in client.get(CHANGE).content.decode()


def test_own_password_opens_the_back_office(client: Client, given: str) -> None:
    _come_in(client, given)
    changed = _change(client, given, OWN)
    statuses = [client.get(page).status_code for page in ("/admin/", "/admin/bookings/booking/")]
    client.post("/admin/logout/")

    assert (changed, statuses, _come_in(client, OWN)) == (302, [200, 200], "/admin/")


def test_password_that_is_refused_changes_nothing(client: Client, given: str) -> None:
    _come_in(client, given)

    assert (_change(client, given, "12345"), client.get("/admin/").status_code) == (200, 302)


def test_whoever_has_not_chosen_yet_may_leave(client: Client, given: str) -> None:
    _come_in(client, given)

    assert (client.post("/admin/logout/").status_code, client.get("/admin/").headers["Location"][:13]) == (
        200,
        "/admin/login/",
    )


def test_programs_get_no_token_for_a_printed_password(api: APIClient, given: str) -> None:
    answer = api.post("/api/auth/token", {"username": "ravi", "password": given}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (403, "password_not_chosen")


def test_password_that_an_administrator_sets_is_to_be_changed_too(client: Client) -> None:
    log_in(client)
    ravi = make_member(FRONT_DESK, username="ravi", password=PASSWORD)

    client.post(
        reverse("admin:auth_user_password_change", args=[ravi.pk]),
        {"usable_password": "true", "password1": OWN, "password2": OWN},
    )

    ravi.refresh_from_db()
    assert (ravi.check_password(OWN), ravi.must_change_password) == (True, True)


def test_own_password_set_on_ones_own_page_is_ones_own(client: Client) -> None:
    member = log_in(client)

    client.post(
        reverse("admin:auth_user_password_change", args=[member.pk]),
        {"usable_password": "true", "password1": OWN, "password2": OWN},
    )

    member.refresh_from_db()
    assert (member.check_password(OWN), member.must_change_password) == (True, False)


def test_account_that_an_administrator_adds_begins_with_a_password_to_change(client: Client) -> None:
    client.force_login(make_member(ADMINISTRATOR))

    client.post(
        "/admin/staff/staffmember/add/",
        {"username": "ravi", "usable_password": "true", "password1": OWN, "password2": OWN},
    )

    assert StaffMember.objects.get(username="ravi").must_change_password is True
