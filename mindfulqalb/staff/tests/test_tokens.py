"""Tokens of the staff API: short, revocable, and a refresh token spent twice ends everything."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.utils import timezone

from mindfulqalb.api.tokens import Claims, issue_booking_token, issue_token
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.models import RefreshToken, StaffMember
from mindfulqalb.staff.second_factor import code_at
from mindfulqalb.staff.sign_in import log_out_everywhere
from mindfulqalb.staff.tests.builders import PASSWORD, make_authenticator, make_member
from mindfulqalb.staff.tokens import (
    SecondFactorMissing,
    SecondFactorNotSetUp,
    StaffTokenInvalid,
    TokenPair,
    WrongCredentials,
    forget_old_refresh_tokens,
    member_of_access_token,
    refresh_pair,
    revoke_refresh,
    sign_in,
)

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(microsecond=0)


def signed_in(**overrides: object) -> tuple[StaffMember, TokenPair]:
    make_member(password=PASSWORD, **overrides)
    return sign_in(username="meera", password=PASSWORD, code="", now=NOW)


def is_good(access: str, now: object = NOW) -> bool:
    try:
        member_of_access_token(access, now=now)  # type: ignore[arg-type]
    except StaffTokenInvalid:
        return False
    return True


def test_access_token_names_its_person_for_ten_minutes() -> None:
    member, pair = signed_in()

    lasts = [is_good(pair.access, NOW + timedelta(seconds=seconds)) for seconds in (0, 599, 600)]
    assert (member_of_access_token(pair.access, now=NOW), lasts) == (member, [True, True, False])


@pytest.mark.parametrize(
    ("username", "password"),
    [("meera", "wrong"), ("meera", ""), ("nobody", PASSWORD), ("MEERA", PASSWORD)],
)
def test_wrong_credentials_get_no_token(username: str, password: str) -> None:
    make_member(password=PASSWORD)

    with pytest.raises(WrongCredentials):
        sign_in(username=username, password=password, code="", now=NOW)


@pytest.mark.parametrize("account", [{"is_active": False}, {"is_staff": False}])
def test_those_who_do_not_work_here_get_no_token(account: dict[str, bool]) -> None:
    make_member(password=PASSWORD, **account)

    with pytest.raises(WrongCredentials):
        sign_in(username="meera", password=PASSWORD, code="", now=NOW)


def test_second_factor_is_asked_of_those_who_have_one() -> None:
    authenticator = make_authenticator(make_member(password=PASSWORD))

    with pytest.raises(SecondFactorMissing):
        sign_in(username="meera", password=PASSWORD, code="", now=NOW)
    with pytest.raises(WrongCredentials):
        sign_in(username="meera", password=PASSWORD, code="000000", now=NOW)
    _, pair = sign_in(username="meera", password=PASSWORD, code=code_at(authenticator, NOW), now=NOW)

    assert is_good(pair.access)


def test_second_factor_that_is_required_must_be_set_up_first(settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR_REQUIRED = True
    make_member(password=PASSWORD)

    with pytest.raises(SecondFactorNotSetUp):
        sign_in(username="meera", password=PASSWORD, code="123456", now=NOW)


def test_refresh_gives_another_pair_and_is_spent() -> None:
    _, first = signed_in()

    second = refresh_pair(refresh=first.refresh, now=NOW)

    assert (is_good(first.access), is_good(second.access), first.refresh != second.refresh) == (True, True, True)
    assert list(RefreshToken.objects.order_by("spent_at").values_list("spent_at", flat=True)) == [NOW, None]


def test_refresh_spent_twice_ends_all_tokens_and_sessions() -> None:
    member, first = signed_in()
    second = refresh_pair(refresh=first.refresh, now=NOW)
    before = member.get_session_auth_hash()

    with pytest.raises(StaffTokenInvalid):
        refresh_pair(refresh=first.refresh, now=NOW)

    member.refresh_from_db()
    assert (is_good(second.access), member.get_session_auth_hash() == before) == (False, False)
    with pytest.raises(StaffTokenInvalid):
        refresh_pair(refresh=second.refresh, now=NOW)
    assert AuditEvent.objects.filter(action="staff.logged_out_everywhere", actor="system").count() == 1


@pytest.mark.django_db(transaction=True)
def test_refresh_spent_twice_at_once_gives_one_pair_at_most() -> None:
    _, first = signed_in()
    gate = threading.Barrier(2)
    pairs: list[TokenPair] = []

    def spend() -> None:
        gate.wait()
        try:
            pairs.append(refresh_pair(refresh=first.refresh, now=NOW))
        except StaffTokenInvalid:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=spend) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(pairs), [is_good(pair.access) for pair in pairs]) == (1, [False])


@pytest.mark.parametrize("refresh", ["", "unknown", "\x00", "x" * 200])
def test_unknown_refresh_token_is_refused(refresh: str) -> None:
    signed_in()

    with pytest.raises(StaffTokenInvalid):
        refresh_pair(refresh=refresh, now=NOW)


def test_refresh_token_ends_by_itself_and_is_forgotten() -> None:
    _, pair = signed_in()
    end = NOW + timedelta(days=14)

    with pytest.raises(StaffTokenInvalid):
        refresh_pair(refresh=pair.refresh, now=end)

    assert (forget_old_refresh_tokens(now=end), RefreshToken.objects.count()) == (1, 0)


def test_revoked_refresh_token_is_refused_and_revoking_twice_is_harmless() -> None:
    _, pair = signed_in()
    for _ in range(2):
        revoke_refresh(refresh=pair.refresh, now=NOW)

    with pytest.raises(StaffTokenInvalid):
        refresh_pair(refresh=pair.refresh, now=NOW)

    assert is_good(pair.access)


def test_tokens_end_with_a_new_password_with_logging_out_everywhere_and_with_the_account() -> None:
    member, pair = signed_in()
    verdicts = [is_good(pair.access)]
    StaffMember.objects.filter(id=member.id).update(is_active=False)
    verdicts.append(is_good(pair.access))
    StaffMember.objects.filter(id=member.id).update(is_active=True, is_staff=False)
    verdicts.append(is_good(pair.access))
    StaffMember.objects.filter(id=member.id).update(is_staff=True)
    verdicts.append(is_good(pair.access))
    member.refresh_from_db()
    member.set_password("another-horse-battery")
    member.save()
    verdicts.append(is_good(pair.access))
    _, other = sign_in(username="meera", password="another-horse-battery", code="", now=NOW)
    verdicts.append(is_good(other.access))
    log_out_everywhere(member=member, actor="staff:1", now=NOW)
    verdicts.append(is_good(other.access))

    assert verdicts == [True, False, False, True, False, True, False]


def test_tokens_of_another_audience_or_another_person_do_not_pass() -> None:
    member, _ = signed_in()
    later = NOW + timedelta(minutes=5)
    foreign = [
        issue_booking_token(booking_id=member.id, version=member.token_version, now=NOW, expires_at=later),
        issue_token(audience="staff", claims=Claims("not-a-uuid", 1), now=NOW, expires_at=later),
        issue_token(audience="staff", claims=Claims(str(member.id), 1), now=NOW, expires_at=later),
        "",
        "a.b.c",
    ]

    assert [is_good(token) for token in foreign] == [False] * 5


def test_no_token_lies_in_the_database() -> None:
    _, pair = signed_in()

    row = RefreshToken.objects.values().get()

    assert [value for value in row.values() if str(value) in {pair.refresh, pair.access}] == []
