"""The door of the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.site import PracticeAdminSite
from mindfulqalb.staff.tests.builders import log_in, make_superuser

pytestmark = pytest.mark.django_db

INDEX, LOGIN = "/admin/", "/admin/login/"
PASSWORD = "correct-horse-battery"


def knock(client: Client, username: str = "asha", password: str = PASSWORD) -> Any:
    return client.post(LOGIN, {"username": username, "password": password, "next": INDEX})


def test_login_page_bears_the_practices_name_and_runs_no_inline_script(client: Client) -> None:
    response = client.get(LOGIN)

    page = response.content.decode()
    assert (response.status_code, page.count("MindfulQALB back office")) == (200, 1)
    assert ("<script>" in page, "unsafe-inline" in response["Content-Security-Policy"]) == (False, False)


def test_admin_tells_itself_where_a_form_comes_from_and_clients_pages_tell_nobody(client: Client) -> None:
    policies = [client.get(page)["Referrer-Policy"] for page in (LOGIN, INDEX, "/")]

    assert policies == ["same-origin", "same-origin", "no-referrer"]


def test_browser_of_somebody_logged_in_is_answered_by_the_api_as_any_other(client: Client) -> None:
    log_in(client)
    calls = ("/api/audit/keys", "/api/catalogue", "/api/schema", "/api/docs", "/api/health")

    answers = [client.get(call) for call in calls]

    assert [answer.status_code for answer in answers] == [Client().get(call).status_code for call in calls]
    assert [answer.status_code for answer in answers] == [200] * len(calls)


def test_form_without_its_token_is_refused_on_a_page_of_ours() -> None:
    strict = Client(enforce_csrf_checks=True)

    response = knock(strict)

    page = response.content.decode()
    assert (response.status_code, "This page has been open too long" in page, "<style" in page) == (403, True, False)


def test_staff_with_the_right_password_come_in(client: Client) -> None:
    make_superuser(password=PASSWORD)

    response = knock(client)

    assert (response.status_code, response["Location"], client.get(INDEX).status_code) == (302, INDEX, 200)


@pytest.mark.parametrize(
    ("account", "username", "password"),
    [
        ({}, "asha", "wrong"),
        ({}, "asha", ""),
        ({}, "ASHA", PASSWORD),
        ({}, "nobody", PASSWORD),
        ({}, "asha\x00", PASSWORD),
        ({"is_active": False}, "asha", PASSWORD),
        ({"is_staff": False}, "asha", PASSWORD),
    ],
)
def test_others_stay_out(client: Client, account: dict[str, bool], username: str, password: str) -> None:
    member = make_superuser(password=PASSWORD)
    StaffMember.objects.filter(id=member.id).update(**account)

    response = knock(client, username, password)

    assert (response.status_code, client.get(INDEX).status_code) == (200, 302)


def test_account_without_password_lets_nobody_in(client: Client) -> None:
    make_superuser()

    assert [knock(client, password=password).status_code for password in ("", "!", "None")] == [200] * 3


def test_anonymous_is_sent_to_the_login_from_every_list(client: Client) -> None:
    pages = [reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist") for model in admin.site._registry]

    sent_to = {page: client.get(page).headers["Location"] for page in [INDEX, *pages]}

    assert sent_to == {page: f"{LOGIN}?next={page}" for page in [INDEX, *pages]}


def test_logout_takes_a_post(client: Client) -> None:
    log_in(client)

    statuses = [client.get("/admin/logout/").status_code, client.get(INDEX).status_code]
    client.post("/admin/logout/")

    assert (statuses, client.get(INDEX).status_code) == ([405, 200], 302)


def test_admin_is_the_practices_own_site(client: Client) -> None:
    log_in(client)

    page = client.get(INDEX).content.decode()

    assert (isinstance(admin.site, PracticeAdminSite), "Today's sessions" in page) == (True, True)


def test_staff_are_known_by_uuid_and_named_by_login() -> None:
    member = make_superuser()

    assert (len(str(member.id)), str(member), member._meta.db_table) == (36, "asha", "staff_members")
