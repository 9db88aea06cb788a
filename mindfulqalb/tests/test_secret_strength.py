from __future__ import annotations

import secrets
from base64 import b64encode

import pytest

from mindfulqalb.encryption.keyring import decode_key
from mindfulqalb.secret_strength import DEVELOPMENT_SECRETS, PLACEHOLDERS, SANDBOX_SECRETS, weakness


def check(value: str, minimum_length: int = 32) -> str | None:
    return weakness("JWT_SECRET", value, minimum_length=minimum_length)


@pytest.mark.parametrize(
    "value",
    [
        secrets.token_hex(32),
        secrets.token_hex(16),
        secrets.token_urlsafe(32),
        b64encode(secrets.token_bytes(32)).decode(),
        b64encode(secrets.token_bytes(24)).decode(),
    ],
    ids=["64 hex digits", "32 hex digits", "urlsafe", "base64", "32 characters of base64"],
)
def test_random_secret_may_guard_production(value: str) -> None:
    assert check(value) is None


def test_random_secret_may_guard_production_every_time() -> None:
    # Drawn at random, a good secret is never called too easy: 2.5 bits per character leave room.
    assert {check(secrets.token_hex(16)) for _ in range(2000)} == {None}


@pytest.mark.parametrize("value", ["rzp_live_8Kx3vQpLm2Za", "cal_live_3f9d2c8b71", "rzp_live_0AbCdEfGhIjKlM"])
def test_vendors_key_ids_are_short_and_good(value: str) -> None:
    assert check(value, 12) is None


@pytest.mark.parametrize("value", [*DEVELOPMENT_SECRETS.values(), *SANDBOX_SECRETS.values(), *sorted(PLACEHOLDERS)])
def test_published_secret_is_refused_under_whatever_name(value: str) -> None:
    assert check(value) == "JWT_SECRET is a published default"


@pytest.mark.parametrize("value", ["sk_live_xxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "xxxxx" + secrets.token_hex(32)])
def test_placeholder_from_somebodys_manual_is_refused(value: str) -> None:
    assert check(value) == "JWT_SECRET is a published default"


@pytest.mark.parametrize(
    ("value", "minimum_length", "problem"),
    [
        ("", 32, "JWT_SECRET is missing"),
        ("", 0, "JWT_SECRET is missing"),
        (secrets.token_hex(32)[:31], 32, "JWT_SECRET is shorter than 32 characters"),
        ("8Kx3vQpLm2Z", 12, "JWT_SECRET is shorter than 12 characters"),
        (" " * 40, 32, "JWT_SECRET is too easy to guess"),
        ("password" * 8, 32, "JWT_SECRET is too easy to guess"),
        ("01" * 40, 32, "JWT_SECRET is too easy to guess"),
        ("0110100110010110" * 4 + "1", 32, "JWT_SECRET is too easy to guess"),
        ("aab" * 20, 32, "JWT_SECRET is too easy to guess"),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1", 32, "JWT_SECRET is too easy to guess"),
    ],
)
def test_weak_secret_is_named_with_its_weakness(value: str, minimum_length: int, problem: str) -> None:
    assert check(value, minimum_length) == problem


def test_complaint_never_shows_the_secret() -> None:
    values = ["hunter2", "hunter2" * 6, "hunter2-xxxxx-and-more-of-the-same-kind"]

    assert ["hunter2" in (check(value) or "") for value in values] == [False] * 3


def test_every_published_secret_names_a_setting_once() -> None:
    values = [*DEVELOPMENT_SECRETS.values(), *SANDBOX_SECRETS.values()]

    assert (len(set(values)), set(DEVELOPMENT_SECRETS) & set(SANDBOX_SECRETS)) == (len(values), set())


@pytest.mark.parametrize("name", ["ENCRYPTION_KEY", "BLIND_INDEX_KEY"])
def test_development_keys_are_keys(name: str) -> None:
    assert len(decode_key(DEVELOPMENT_SECRETS[name])) == 32
