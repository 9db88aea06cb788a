"""Digests by which an encrypted email can be found again.

They have a key of their own: rotating ENCRYPTION_KEY must not change them. Rotating BLIND_INDEX_KEY leaves old rows
under their old digest (that of a consent is evidence, and cannot change), so look up with all of `email_digests` and
write with `email_digest`; who has to find a person's rows later keeps the email itself, sealed, and not one digest.
"""

from __future__ import annotations

import hmac
import unicodedata
from functools import lru_cache

from mindfulqalb.encryption.keyring import derive, master_keys


def normalize_email(email: str) -> str:
    """Return the form in which two spellings of one address are equal: NFKC, case folded, trimmed."""
    return unicodedata.normalize("NFKC", email).casefold().strip()


def email_digest(email: str) -> str:
    """Return the digest to store: 64 hex digits, under the writing key."""
    return email_digests(email)[0]


def email_digests(email: str) -> list[str]:
    """Return every digest that a stored row may have: the writing key's first, then the fallbacks'."""
    address = normalize_email(email).encode(errors="surrogatepass")
    return [hmac.digest(_email_key(master), address, "sha256").hex() for master in master_keys("BLIND_INDEX_KEY")]


@lru_cache(maxsize=32)
def _email_key(master: bytes) -> bytes:
    return derive(master, "blind index email")
