"""A token opens one thing, for a time, until it is revoked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import jwt
import pytest
from django.conf import settings
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.api.errors import Unauthorized
from mindfulqalb.api.tokens import (
    BookingClaims,
    Claims,
    InvalidToken,
    bearer_token,
    issue_booking_token,
    issue_token,
    key_id,
    read_booking_token,
    read_token,
)

if TYPE_CHECKING:
    from pytest_django import Settings

# In the past, so that a look at the machine's clock would show.
NOW = datetime(2020, 1, 1, 12, tzinfo=UTC)
BOOKING_ID = UUID("00010203-0405-0607-0809-0a0b0c0d0e0f")


@pytest.fixture(name="override")
def renamed(settings: Settings) -> Settings:
    return settings


def make_token() -> str:
    return issue_booking_token(booking_id=BOOKING_ID, version=3, now=NOW, expires_at=NOW + timedelta(days=1))


def make_payload(**overrides: Any) -> dict[str, Any]:
    issued = int(NOW.timestamp())
    payload = {
        "iss": "mindfulqalb",
        "aud": "booking",
        "sub": str(BOOKING_ID),
        "ver": 3,
        "iat": issued,
        "exp": issued + 60,
    }
    return payload | overrides


def sign(payload: dict[str, Any], *, algorithm: str = "HS256", headers: Any = None, secret: str = "") -> str:
    # One level below jwt.encode, which would not sign every oddity.
    key = "" if algorithm == "none" else secret or settings.JWT_SECRET
    named = {"kid": key_id(settings.JWT_SECRET)} | (headers or {})
    return jwt.PyJWS().encode(json.dumps(payload).encode(), key, algorithm=algorithm, headers=named)


def assert_refused(token: str, *, now: datetime = NOW) -> None:
    with pytest.raises(InvalidToken) as caught:
        read_booking_token(token, now=now)
    assert (caught.value.status, caught.value.code) == (401, "invalid_token")


OLD = "the-secret-of-yesterday-which-is-long-enough-to-sign-with"


@pytest.mark.parametrize(
    ("fallbacks", "secret", "named", "is_good"),
    [
        ([OLD], OLD, OLD, True),
        ([], OLD, OLD, False),
        ([OLD], OLD, "", False),
        ([OLD], "", OLD, False),
        ([OLD], "", "", True),
    ],
)
def test_token_names_its_key_and_an_old_key_is_good_as_long_as_it_is_kept(
    override: Settings, fallbacks: list[str], secret: str, named: str, is_good: bool
) -> None:
    override.JWT_SECRET_FALLBACKS = fallbacks
    token = sign(make_payload(), secret=secret, headers={"kid": key_id(named or settings.JWT_SECRET)})

    if is_good:
        assert read_booking_token(token, now=NOW).booking_id == BOOKING_ID
    else:
        assert_refused(token)


@pytest.mark.parametrize("kid", ["", "unknown", None])
def test_token_that_names_no_key_of_ours_is_refused(kid: str | None) -> None:
    if kid is None:
        assert_refused(jwt.PyJWS().encode(json.dumps(make_payload()).encode(), settings.JWT_SECRET, algorithm="HS256"))
    else:
        assert_refused(sign(make_payload(), headers={"kid": kid}))


def test_a_booking_s_token_is_read_back() -> None:
    assert read_booking_token(make_token(), now=NOW) == BookingClaims(BOOKING_ID, 3)


def test_a_staff_token_is_read_back() -> None:
    claims = Claims(subject="17", version=1)

    token = issue_token(audience="staff", claims=claims, now=NOW, expires_at=NOW + timedelta(minutes=10))

    assert read_token(token, audience="staff", now=NOW) == claims


def test_a_token_is_good_for_its_audience_only() -> None:
    staff = issue_token(
        audience="staff", claims=Claims(str(BOOKING_ID), 3), now=NOW, expires_at=NOW + timedelta(minutes=10)
    )

    assert_refused(staff)
    with pytest.raises(InvalidToken):
        read_token(make_token(), audience="staff", now=NOW)


def test_a_token_expires_to_the_second() -> None:
    end = NOW + timedelta(days=1)

    assert read_booking_token(make_token(), now=end - timedelta(seconds=1)).version == 3
    assert_refused(make_token(), now=end)


def test_a_token_from_the_future_is_refused_beyond_the_clocks_difference() -> None:
    assert read_booking_token(make_token(), now=NOW - timedelta(seconds=60)).version == 3
    assert_refused(make_token(), now=NOW - timedelta(seconds=61))


def test_another_key_is_refused(override: Settings) -> None:
    token = make_token()
    override.JWT_SECRET = "another-secret-of-thirty-two-bytes-at-least"

    assert_refused(token)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "ver", "iat", "exp"])
def test_every_claim_is_needed(claim: str) -> None:
    payload = make_payload()
    assert read_booking_token(sign(payload), now=NOW).version == 3
    del payload[claim]

    assert_refused(sign(payload))


@pytest.mark.parametrize(
    "overrides",
    [
        {"iss": "somebody"},
        {"aud": ["booking"]},
        {"aud": ["booking", "staff"]},
        {"aud": ""},
        {"sub": "17"},
        {"sub": 17},
        {"sub": ""},
        {"ver": "3"},
        {"ver": True},
        {"ver": None},
        {"ver": 3.0},
        {"exp": "9999999999"},
        {"exp": 1e300},
        {"exp": True},
        {"iat": "0"},
        {"iat": -1.5},
    ],
)
def test_a_claim_of_another_shape_is_refused(overrides: dict[str, Any]) -> None:
    assert_refused(sign(make_payload(**overrides)))


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_the_algorithm_is_not_the_token_s_choice(override: Settings, algorithm: str) -> None:
    override.JWT_SECRET = "a-secret-of-sixty-four-bytes-at-least-which-the-longest-hash-wants"

    assert_refused(sign(make_payload(), algorithm=algorithm))
    assert read_booking_token(sign(make_payload()), now=NOW).version == 3


def test_an_unknown_critical_header_is_refused() -> None:
    assert_refused(sign(make_payload(), headers={"crit": ["b64x"], "b64x": True}))


def test_a_changed_letter_is_refused() -> None:
    header, payload, signature = make_token().split(".")
    other = "A" if payload[10] != "A" else "B"

    assert_refused(f"{header}.{payload[:10]}{other}{payload[11:]}.{signature}")
    assert_refused(f"{header}.{payload}.{signature[:-2]}")
    assert_refused(f"{header}.{payload}.")
    assert_refused(f"{header}.{payload}")
    assert_refused(f"{header}.{payload}.{signature}\ud800")


def test_a_long_token_is_not_looked_at() -> None:
    assert_refused(sign(make_payload(padding="x" * 1000)))


@given(st.text() | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}", fullmatch=True))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    assert_refused(text)


@pytest.mark.parametrize("header", ["Bearer abc.def.ghi", "bearer  abc.def.ghi ", "BEARER abc.def.ghi"])
def test_a_bearer_token_is_found(header: str) -> None:
    assert bearer_token(RequestFactory().get("/", headers={"Authorization": header})) == "abc.def.ghi"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "abc.def.ghi", "Bearerabc"])
def test_without_a_bearer_token_nobody_asks(header: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        bearer_token(RequestFactory().get("/", headers={"Authorization": header}))

    assert caught.value.code == "unauthorized"
