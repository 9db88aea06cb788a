from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mindfulqalb.encryption.blind_index import email_digest, email_digests, normalize_email, phone_digest, phone_digests
from mindfulqalb.encryption.keyring import KeyringError, decode_key, derive
from mindfulqalb.encryption.tests.keys import INDEX_KEY, NEW_KEY, make_key

if TYPE_CHECKING:
    from pytest_django import Settings

EMAIL = "asha@example.com"
PHONE = "+919876543210"


@pytest.mark.parametrize(
    "spelling",
    [
        "ASHA@Example.COM",
        "  asha@example.com\n",
        "\u00a0asha@example.com\u3000",
        "ａｓｈａ＠ｅｘａｍｐｌｅ．ｃｏｍ",  # noqa: RUF001
    ],
)
def test_normalize_email_folds_case_width_and_blanks(spelling: str) -> None:
    assert normalize_email(spelling) == EMAIL


@pytest.mark.parametrize(
    ("spelling", "normalized"),
    [
        ("STRASSE@example.com", "strasse@example.com"),
        ("straße@example.com", "strasse@example.com"),
        ("E\u0301va@example.com", "\u00e9va@example.com"),
        ("a.sha+tag@example.com", "a.sha+tag@example.com"),
    ],
)
def test_normalize_email_goes_no_further_than_unicode(spelling: str, normalized: str) -> None:
    assert normalize_email(spelling) == normalized


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_normalize_email_twice_changes_nothing_more(text: str) -> None:
    assert normalize_email(normalize_email(text)) == normalize_email(text)


def test_email_digest_is_the_same_for_every_spelling() -> None:
    assert email_digest(" Asha@EXAMPLE.com ") == email_digest(EMAIL)
    assert email_digest("ashb@example.com") != email_digest(EMAIL)


def test_email_digest_is_64_hex_digits() -> None:
    assert re.fullmatch("[0-9a-f]{64}", email_digest(EMAIL))


def test_email_digest_is_keyed_for_emails_only() -> None:
    master = decode_key(INDEX_KEY)

    def hmac_under(key: bytes) -> str:
        return hmac.new(key, EMAIL.encode(), hashlib.sha256).hexdigest()

    assert email_digest(EMAIL) == hmac_under(derive(master, "blind index email"))
    assert email_digest(EMAIL) not in {
        hashlib.sha256(EMAIL.encode()).hexdigest(),
        hmac_under(master),
        hmac_under(derive(master, "blind index phone")),
    }


def test_email_digest_does_not_change_with_the_encryption_key(settings: Settings) -> None:
    before = email_digest(EMAIL)
    settings.ENCRYPTION_KEY = NEW_KEY

    assert email_digest(EMAIL) == before


def test_email_digests_lists_the_writing_key_first_and_then_the_fallbacks(settings: Settings) -> None:
    under_old = email_digest(EMAIL)
    settings.BLIND_INDEX_KEY, settings.BLIND_INDEX_KEY_FALLBACKS = make_key("next index"), [INDEX_KEY]

    assert email_digests(EMAIL) == [email_digest(EMAIL), under_old]
    assert email_digest(EMAIL) != under_old


def test_email_digest_takes_what_no_address_has() -> None:
    assert email_digest("\ud800") != email_digest("")


def test_email_digest_without_a_key_says_which(settings: Settings) -> None:
    settings.BLIND_INDEX_KEY = ""

    with pytest.raises(KeyringError) as caught:
        email_digest(EMAIL)

    assert str(caught.value) == "BLIND_INDEX_KEY is missing; make one with: openssl rand -base64 32"


@pytest.mark.parametrize("spelling", ["+919876543210", "098765 43210", "+91 (98765) 432-10", "0091 98765 43210"])
def test_phone_digest_is_the_same_for_every_spelling(spelling: str) -> None:
    assert phone_digest(spelling) == phone_digest(PHONE)


def test_phone_digest_is_keyed_for_phones_only() -> None:
    key = derive(decode_key(INDEX_KEY), "blind index phone")

    assert phone_digest(PHONE) == hmac.new(key, PHONE.encode(), hashlib.sha256).hexdigest()
    assert phone_digest(PHONE) != email_digest(PHONE)


@pytest.mark.parametrize("nothing", [None, ""])
def test_no_phone_has_no_digest(nothing: str | None) -> None:
    assert phone_digest(nothing) == ""


def test_what_is_no_number_is_digested_as_it_stands() -> None:
    assert phone_digest(" ask at the desk ") == phone_digest("ask at the desk")
    assert phone_digest("ask at the desk") != phone_digest("ask at the door")


def test_phone_digests_lists_the_writing_key_first_and_then_the_fallbacks(settings: Settings) -> None:
    under_old = phone_digest(PHONE)
    settings.BLIND_INDEX_KEY, settings.BLIND_INDEX_KEY_FALLBACKS = make_key("next index"), [INDEX_KEY]

    assert phone_digests(PHONE) == [phone_digest(PHONE), under_old]


def test_phone_digest_does_not_change_with_the_encryption_key(settings: Settings) -> None:
    before = phone_digest(PHONE)
    settings.ENCRYPTION_KEY = NEW_KEY

    assert phone_digest(PHONE) == before
