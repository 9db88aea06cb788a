"""A code counts once; a recovery code stands in once; nothing of it lies open in the database."""

from __future__ import annotations

from base64 import b32decode
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django_otp.oath import totp

from mindfulqalb.api.errors import TooManyRequests
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.staff.models import Authenticator, RecoveryCode, StaffMember
from mindfulqalb.staff.second_factor import (
    begin_enrolment,
    code_at,
    confirm_enrolment,
    enrolment_uri,
    needs_second_factor,
    recovery_codes_left,
    renew_recovery_codes,
    reset_second_factor,
    verify_code,
)
from mindfulqalb.staff.tests.builders import PASSWORD, SECRET, make_authenticator, make_member
from mindfulqalb.staff.tokens import StaffTokenInvalid, member_of_access_token, refresh_pair, sign_in

pytestmark = pytest.mark.django_db

NOW = timezone.now().replace(second=10, microsecond=0)
STEP = timedelta(seconds=30)


def enrolled() -> tuple[Authenticator, list[str]]:
    member = make_member()
    authenticator = begin_enrolment(member=member, now=NOW)
    codes = confirm_enrolment(member=member, code=code_at(authenticator, NOW), now=NOW)
    assert codes is not None
    authenticator.refresh_from_db()
    return authenticator, codes


def actions() -> list[str]:
    return sorted(AuditEvent.objects.values_list("action", flat=True))


def test_enrolment_shows_the_same_secret_until_it_is_confirmed() -> None:
    member = make_member()

    shown = [begin_enrolment(member=member, now=NOW).secret for _ in range(2)]

    assert (shown[0] == shown[1], len(shown[0])) == (True, 32)


def test_enrolment_uri_is_what_apps_scan() -> None:
    authenticator = make_authenticator(make_member(username="a b@c"))

    uri = urlsplit(enrolment_uri(authenticator))

    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", f"/{settings.PRACTICE_NAME}%3Aa%20b%40c")
    assert parse_qs(uri.query) == {
        "secret": [SECRET],
        "issuer": [settings.PRACTICE_NAME],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }


def test_enrolment_ends_with_ten_recovery_codes_of_which_only_digests_are_kept() -> None:
    authenticator, codes = enrolled()

    kept = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert (len(set(codes)), kept & set(codes), authenticator.confirmed_at) == (10, set(), NOW)
    assert actions() == ["staff.second_factor_enrolled"]


@pytest.mark.parametrize(
    "code", ["", "000000", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666", "1" * 5000]
)
def test_enrolment_wants_a_code_of_the_app(code: str) -> None:
    member = make_member()
    begin_enrolment(member=member, now=NOW)

    assert (confirm_enrolment(member=member, code=code, now=NOW), needs_second_factor(member)) == (None, False)


def test_confirmed_authenticator_is_not_replaced_by_another_enrolment() -> None:
    authenticator, _ = enrolled()

    with pytest.raises(Authenticator.DoesNotExist):
        begin_enrolment(member=authenticator.member, now=NOW)

    assert confirm_enrolment(member=authenticator.member, code=code_at(authenticator, NOW + STEP), now=NOW) is None


@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_code_of_a_neighbouring_step_counts(steps: int, counts: bool) -> None:
    authenticator = make_authenticator(make_member())
    code = code_at(authenticator, NOW + steps * STEP)

    assert (verify_code(member=authenticator.member, code=code, now=NOW) is not None) is counts


def test_code_is_that_of_the_algorithm_and_may_be_typed_in_groups() -> None:
    authenticator = make_authenticator(make_member())
    moment = timezone.now()
    code = f"{totp(b32decode(SECRET)):06}"

    assert verify_code(member=authenticator.member, code=f"{code[:3]} {code[3:]}", now=moment) == authenticator


def test_code_counts_once_and_no_earlier_one_after_it() -> None:
    authenticator = make_authenticator(make_member())
    codes = [code_at(authenticator, NOW), code_at(authenticator, NOW), code_at(authenticator, NOW - STEP)]

    verified = [verify_code(member=authenticator.member, code=code, now=NOW) is not None for code in codes]

    assert (verified, actions()) == ([True, False, False], ["staff.second_factor_refused"] * 2)


def guess(member: StaffMember, moment: datetime) -> str:
    """What comes of a wrong code."""
    try:
        verify_code(member=member, code="wrong", now=moment)
    except TooManyRequests:
        return "paused"
    return "refused"


def test_wrong_codes_in_a_row_bring_pauses_that_double() -> None:
    member = make_authenticator(make_member()).member
    first = [guess(member, NOW) for _ in range(6)]
    seconds = [29, 30, 89, 90, 209, 210]

    later = [guess(member, NOW + timedelta(seconds=second)) for second in seconds]

    assert first == ["refused"] * 5 + ["paused"]
    assert later == ["paused", "refused"] * 3


def test_pause_refuses_the_right_code_too_and_a_right_one_after_it_ends_the_row() -> None:
    authenticator = make_authenticator(make_member())
    for _ in range(5):
        guess(authenticator.member, NOW)
    after = NOW + timedelta(seconds=30)

    with pytest.raises(TooManyRequests) as refused:
        verify_code(member=authenticator.member, code=code_at(authenticator, NOW), now=NOW)
    verified = verify_code(member=authenticator.member, code=code_at(authenticator, after), now=after)

    assert (refused.value.retry_after, verified) == (timedelta(seconds=30), authenticator)
    assert [guess(authenticator.member, after) for _ in range(2)] == ["refused"] * 2


def test_pause_is_an_hour_at_most_and_the_owner_hears_of_the_tenth_wrong_code_once() -> None:
    member = make_authenticator(make_member()).member

    for hour in range(20):
        guess(member, NOW + timedelta(hours=hour))

    paused_until = Authenticator.objects.get().paused_until
    topics = list(OutboxMessage.objects.values_list("topic", flat=True))
    assert (paused_until, topics) == (NOW + timedelta(hours=20), ["email.codes_refused"])


def test_recovery_code_counts_once_however_it_is_typed() -> None:
    authenticator, codes = enrolled()
    typed = codes[0].upper().replace("-", " ")

    verified = [verify_code(member=authenticator.member, code=typed, now=NOW) is not None for _ in range(2)]

    assert (verified, recovery_codes_left(authenticator.member)) == ([True, False], 9)


def test_recovery_codes_of_others_and_old_ones_are_void() -> None:
    authenticator, codes = enrolled()
    other = make_authenticator(make_member(username="ravi"))
    new = renew_recovery_codes(member=authenticator.member, now=NOW)

    tried = [(other.member, new[0]), (authenticator.member, codes[0]), (authenticator.member, new[0])]
    verified = [verify_code(member=member, code=code, now=NOW) is not None for member, code in tried]

    assert verified == [False, False, True]


def test_nothing_verifies_before_confirmation_or_after_a_reset() -> None:
    member = make_member()
    authenticator = begin_enrolment(member=member, now=NOW)
    before = verify_code(member=member, code=code_at(authenticator, NOW), now=NOW)
    enrolled_codes = confirm_enrolment(member=member, code=code_at(authenticator, NOW), now=NOW) or []
    reset_second_factor(member=member, actor="staff:1", now=NOW)

    after = verify_code(member=member, code=enrolled_codes[0], now=NOW)

    assert (before, after, "staff.second_factor_reset" in actions()) == (None, None, True)


def test_reset_ends_what_the_lost_phone_had_opened() -> None:
    member = make_authenticator(make_member(password=PASSWORD)).member
    code = code_at(Authenticator.objects.get(), NOW)
    _, pair = sign_in(username=member.username, password=PASSWORD, code=code, now=NOW)

    reset_second_factor(member=member, actor="staff:1", now=NOW)

    with pytest.raises(StaffTokenInvalid):
        refresh_pair(refresh=pair.refresh, now=NOW)
    with pytest.raises(StaffTokenInvalid):
        member_of_access_token(pair.access, now=NOW)


def test_secret_lies_sealed_in_the_database() -> None:
    make_authenticator(make_member())

    with connection.cursor() as cursor:
        cursor.execute("SELECT secret_encrypted FROM staff_authenticators")
        (stored,) = cursor.fetchone()

    assert (SECRET.encode() in bytes(stored), len(bytes(stored)) > len(SECRET)) == (False, True)
