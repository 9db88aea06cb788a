from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidTag
from django.test import override_settings

from mindfulqalb.encryption.keyring import KeyringError, decode_key, derive, key_id, keyring, master_keys
from mindfulqalb.encryption.tests.keys import INDEX_KEY, NEW_KEY, OLD_KEY, make_key, use_keys

if TYPE_CHECKING:
    from pytest_django import Settings

KEY = bytes(range(0xE0, 0x100))  # its base64 has both of the digits in which the two alphabets differ


def test_decode_key_reads_standard_and_urlsafe_padded_and_not() -> None:
    standard, urlsafe = base64.b64encode(KEY).decode(), base64.urlsafe_b64encode(KEY).decode()

    assert standard != urlsafe
    assert [decode_key(text) for text in (standard, urlsafe, standard.rstrip("="), f" {urlsafe}\n")] == [KEY] * 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (base64.b64encode(KEY[:-1]).decode(), "holds 31 bytes, not 32"),
        (base64.b64encode(KEY + b"x").decode(), "holds 33 bytes, not 32"),
        ("not base64 at all!", "is not base64"),
        ("A", "is not base64"),
        ("schlüssel", "is not base64"),
    ],
)
def test_decode_key_refuses_other_lengths_and_other_alphabets(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^(is|holds)") as caught:
        decode_key(text)

    assert str(caught.value) == sentence


def test_keyring_writes_with_the_first_key_and_reads_with_all(settings: Settings) -> None:
    use_keys(settings, NEW_KEY, OLD_KEY)

    ring = keyring()

    assert ring.writing == key_id(decode_key(NEW_KEY))
    assert set(ring.masters.values()) == {decode_key(NEW_KEY), decode_key(OLD_KEY)}


def test_keyring_follows_changed_settings_without_being_told() -> None:
    before = keyring().writing

    with override_settings(ENCRYPTION_KEY=NEW_KEY):
        inside = keyring().writing

    assert inside == key_id(decode_key(NEW_KEY))
    assert keyring().writing == before


def test_keyring_is_built_once_for_the_same_settings() -> None:
    assert keyring() is keyring()


def test_keyring_knows_which_keys_are_outdated(settings: Settings) -> None:
    use_keys(settings, NEW_KEY, OLD_KEY)
    new, old, unknown = (key_id(decode_key(key)) for key in (NEW_KEY, OLD_KEY, make_key("unknown")))

    assert [keyring().is_outdated(known) for known in (new, old, unknown)] == [False, True, False]


def test_keyring_does_not_show_its_masters() -> None:
    assert repr(keyring()) == f"Keyring(writing={key_id(decode_key(OLD_KEY))!r})"


@pytest.mark.parametrize("text", ["", None])
def test_keyring_names_a_missing_key(settings: Settings, text: str | None) -> None:
    settings.ENCRYPTION_KEY = text

    with pytest.raises(KeyringError) as caught:
        keyring()

    assert str(caught.value) == "ENCRYPTION_KEY is missing; make one with: openssl rand -base64 32"


def test_keyring_names_the_fallback_at_fault_and_not_its_value(settings: Settings) -> None:
    use_keys(settings, NEW_KEY, OLD_KEY, "c2hvcnQ=")

    with pytest.raises(KeyringError) as caught:
        keyring()

    assert str(caught.value) == (
        "ENCRYPTION_KEY_FALLBACKS[1] holds 5 bytes, not 32; make one with: openssl rand -base64 32"
    )


def test_keyring_refuses_the_same_key_twice(settings: Settings) -> None:
    use_keys(settings, OLD_KEY, OLD_KEY.rstrip("="))

    with pytest.raises(KeyringError) as caught:
        keyring()

    assert str(caught.value) == (
        "ENCRYPTION_KEY_FALLBACKS[0] is the same key as ENCRYPTION_KEY; make one with: openssl rand -base64 32"
    )


@pytest.mark.parametrize("other", ["SECRET_KEY", "JWT_SECRET", "BLIND_INDEX_KEY"])
@pytest.mark.parametrize("as_bytes", [True, False])
def test_keyring_refuses_a_key_with_another_use(settings: Settings, other: str, as_bytes: bool) -> None:
    twin = "development-only-encryption-key!"
    settings.ENCRYPTION_KEY = base64.b64encode(twin.encode()).decode()
    setattr(settings, other, twin if as_bytes else settings.ENCRYPTION_KEY)

    with pytest.raises(KeyringError) as caught:
        keyring()

    assert str(caught.value) == (f"ENCRYPTION_KEY is the same key as {other}; make one with: openssl rand -base64 32")


def test_master_keys_reports_everything_at_once(settings: Settings) -> None:
    settings.BLIND_INDEX_KEY = ""
    settings.BLIND_INDEX_KEY_FALLBACKS = ["A", OLD_KEY]

    with pytest.raises(KeyringError) as caught:
        master_keys("BLIND_INDEX_KEY")

    assert str(caught.value).count("; make one with") == 3


def test_keys_for_different_purposes_have_nothing_in_common() -> None:
    master = decode_key(INDEX_KEY)

    assert len({derive(master, "field a.b"), derive(master, "field a.c"), derive(master, "key id"), master}) == 4


def test_every_field_has_a_key_of_its_own() -> None:
    ring, nonce = keyring(), bytes(12)
    sealed = ring.cipher(ring.writing, "a.b").encrypt(nonce, b"text", None)

    assert ring.cipher(ring.writing, "a.b").decrypt(nonce, sealed, None) == b"text"
    with pytest.raises(InvalidTag):
        ring.cipher(ring.writing, "a.c").decrypt(nonce, sealed, None)


def test_key_id_comes_from_the_key_alone() -> None:
    assert key_id(KEY) == key_id(bytes(KEY))
    assert key_id(KEY) != key_id(KEY[::-1])
    assert len(key_id(KEY)) == 4
