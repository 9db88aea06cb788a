"""Digests by which an encrypted email or phone can be found again.

They have a key of their own: rotating ENCRYPTION_KEY must not change them. Rotating BLIND_INDEX_KEY leaves old rows
under their old digest (that of a consent is evidence, and cannot change), so look up with all of `email_digests` or
`phone_digests`, and write with `email_digest` or `phone_digest`; who has to find a person's rows later keeps the email
itself, sealed, and not one digest.
"""

from __future__ import annotations

import hmac
import unicodedata
from functools import lru_cache

from mindfulqalb.encryption.keyring import derive, master_keys
from mindfulqalb.phones import NotAPhoneNumber, e164


def normalize_email(email: str) -> str:
    """Return the form in which two spellings of one address are equal: NFKC, case folded, trimmed."""
    return unicodedata.normalize("NFKC", email).casefold().strip()


def email_digest(email: str) -> str:
    """Return the digest to store: 64 hex digits, under the writing key."""
    return email_digests(email)[0]


def email_digests(email: str) -> list[str]:
    """Return every digest that a stored row may have: the writing key's first, then the fallbacks'."""
    return _digests("email", normalize_email(email))


def phone_digest(phone: str | None) -> str:
    """Return the digest to store: 64 hex digits, under the writing key; empty where there is no phone."""
    return phone_digests(phone)[0] if phone else ""


def phone_digests(phone: str) -> list[str]:
    """Return every digest that a stored row may have: the writing key's first, then the fallbacks'.

    Two spellings of one number are equal, by E.164; what is no number (staff may have noted one) is taken as it stands.
    """
    try:
        normalized = e164(phone)
    except NotAPhoneNumber:
        normalized = phone.strip()
    return _digests("phone", normalized)


def _digests(kind: str, text: str) -> list[str]:
    data = text.encode(errors="surrogatepass")
    return [hmac.digest(_key(master, kind), data, "sha256").hex() for master in master_keys("BLIND_INDEX_KEY")]


@lru_cache(maxsize=32)
def _key(master: bytes, kind: str) -> bytes:
    return derive(master, f"blind index {kind}")
