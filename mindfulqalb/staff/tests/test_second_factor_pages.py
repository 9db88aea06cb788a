"""From the password to the inside, by the pages of the admin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from mindfulqalb.api import throttles
from mindfulqalb.api.throttles import Outage
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.staff.middleware import RENEWED_AT
from mindfulqalb.staff.models import Authenticator, KnownDevice, RecoveryCode, StaffMember
from mindfulqalb.staff.second_factor import code_at
from mindfulqalb.staff.tests.builders import PASSWORD, make_authenticator, make_superuser

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

INDEX, LOGIN, ACCOUNT = "/admin/", "/admin/login/", "/admin/account/"
VERIFY, SET_UP = "/admin/second-factor/", "/admin/second-factor/set-up/"
OUTBOX = "/admin/outbox/outboxmessage/"


def give_password(client: Client, next_: str = INDEX) -> Any:
    return client.post(LOGIN, {"username": "asha", "password": PASSWORD, "next": next_})


def give_code(client: Client, code: str, **more: str) -> Any:
    return client.post(VERIFY, {"code": code, **more})


def make_asha(**overrides: Any) -> StaffMember:
    return make_superuser(password=PASSWORD, email="asha@example.com", **overrides)


def test_password_alone_does_not_open_the_admin_of_somebody_with_a_second_factor(client: Client) -> None:
    make_authenticator(make_asha())

    give_password(client)
    pages = [client.get(page) for page in (INDEX, OUTBOX, ACCOUNT)]

    assert [(page.status_code, page["Location"].partition("?")[0]) for page in pages] == [(302, LOGIN)] * 3
    assert (
        client.get(f"{LOGIN}?next={OUTBOX}")["Location"]
        == "/admin/second-factor/?next=%2Fadmin%2Foutbox%2Foutboxmessage%2F"
    )


def test_code_opens_the_door_to_where_one_wanted_to_go(client: Client) -> None:
    authenticator = make_authenticator(make_asha())
    give_password(client)
    before = client.session.session_key

    answer = give_code(client, code_at(authenticator, timezone.now()), next=OUTBOX)

    assert (answer.status_code, answer["Location"], client.get(OUTBOX).status_code) == (302, OUTBOX, 200)
    assert client.session.session_key != before


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example"]
)
def test_code_leads_nowhere_else(client: Client, elsewhere: str) -> None:
    authenticator = make_authenticator(make_asha())
    give_password(client)

    assert give_code(client, code_at(authenticator, timezone.now()), next=elsewhere)["Location"] == INDEX


@pytest.mark.parametrize("code", ["", "000000", "x" * 41, "<script>"])
def test_wrong_code_is_said_so_and_opens_nothing(client: Client, code: str) -> None:
    make_authenticator(make_asha())
    give_password(client)

    page = give_code(client, code)

    assert (page.status_code, client.get(INDEX).status_code, "<script>" in page.content.decode()) == (200, 302, False)


def test_codes_cannot_be_guessed_for_long(client: Client) -> None:
    authenticator = make_authenticator(make_asha())
    give_password(client)

    statuses = [give_code(client, "000000").status_code for _ in range(10)]
    right = give_code(client, code_at(authenticator, timezone.now()))

    assert statuses == [200] * 5 + [429] * 5
    assert (right.status_code, "Please try again in 1 minute." in right.content.decode()) == (429, True)


def test_passwords_cannot_be_guessed_for_long_and_the_page_says_for_how_long_to_wait(client: Client) -> None:
    make_asha()

    pages = [client.post(LOGIN, {"username": "asha", "password": "wrong"}) for _ in range(11)]
    right = give_password(client)

    assert [page.status_code for page in pages] == [200] * 10 + [429]
    assert (right.status_code, "Please try again in 1 minute." in right.content.decode()) == (429, True)


def test_login_is_shut_while_nobody_can_count(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_asha()
    broken = Outage()
    broken.begin()
    monkeypatch.setattr(throttles, "outage", broken)

    page = give_password(client)

    assert (page.status_code, "Nobody can log in at this moment" in page.content.decode()) == (429, True)


def test_required_second_factor_is_set_up_at_the_first_login(client: Client, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR_REQUIRED = True
    member = make_asha()
    give_password(client)

    shown = client.get(client.get(client.get(LOGIN)["Location"])["Location"])
    page = shown.content.decode()
    authenticator = Authenticator.objects.get(member=member)
    done = client.post(SET_UP, {"code": code_at(authenticator, timezone.now())})
    codes = re.findall(r"<li><code>([a-z0-9-]{19})</code>", done.content.decode())

    assert ("data:image/svg+xml" in page, authenticator.secret in page.replace(" ", "")) == (True, True)
    assert (len(codes), RecoveryCode.objects.count(), client.get(INDEX).status_code) == (10, 10, 200)
    assert [shown.headers["Cache-Control"], done.headers["Cache-Control"]] == [
        "max-age=0, no-cache, no-store, must-revalidate, private"
    ] * 2


def test_whoever_has_an_authenticator_cannot_set_up_another_by_password_alone(client: Client) -> None:
    make_authenticator(make_asha())
    give_password(client)

    answers = [client.get(SET_UP), client.post(SET_UP, {"code": "000000"})]

    assert [answer["Location"].partition("?")[0] for answer in answers] == [VERIFY] * 2


def test_strangers_are_sent_to_the_login(client: Client) -> None:
    answers = [client.get(page)["Location"].partition("?")[0] for page in (VERIFY, SET_UP, ACCOUNT)]

    assert answers == [LOGIN] * 3


def test_recovery_codes_are_renewed_by_a_click_and_not_by_a_look(client: Client) -> None:
    authenticator = make_authenticator(make_asha())
    give_password(client)
    give_code(client, code_at(authenticator, timezone.now()))

    looked = client.get("/admin/account/recovery-codes/")
    clicked = client.post("/admin/account/recovery-codes/")

    assert (looked.status_code, clicked.content.decode().count("<li><code>")) == (405, 10)
    assert "Recovery codes left: 10." in client.get(ACCOUNT).content.decode()


def test_logging_out_everywhere_ends_the_other_browser_too(client: Client) -> None:
    make_asha()
    other = type(client)()
    give_password(client)
    give_password(other)

    client.post("/admin/account/log-out-everywhere/")

    assert [browser.get(INDEX).status_code for browser in (client, other)] == [302, 302]


def test_new_password_ends_the_other_browser(client: Client) -> None:
    make_asha()
    other = type(client)()
    give_password(client)
    give_password(other)
    new = "another-horse-battery"

    client.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})

    assert [browser.get(INDEX).status_code for browser in (client, other)] == [200, 302]


def test_session_ends_after_idle_time_and_every_click_begins_it_anew(client: Client) -> None:
    make_asha()

    given = give_password(client).cookies["sessionid"]["max-age"]
    client.get(INDEX)
    at_once = "sessionid" in client.get(INDEX).cookies
    session = client.session
    session[RENEWED_AT] -= 60
    session.save()
    later = client.get(INDEX).cookies["sessionid"]["max-age"]

    assert (given, at_once, later) == (1800, False, 1800)


def test_login_from_a_new_device_is_mailed_and_from_a_known_one_is_not(client: Client) -> None:
    make_asha()
    give_password(client)
    first = OutboxMessage.objects.count()
    give_password(client)
    again = OutboxMessage.objects.count()

    client.post(LOGIN, {"username": "asha", "password": PASSWORD, "next": INDEX}, headers={"User-Agent": "Another"})

    topics = list(OutboxMessage.objects.values_list("topic", flat=True))
    assert (first, again, topics, KnownDevice.objects.count()) == (0, 0, ["email.new_device"], 2)
