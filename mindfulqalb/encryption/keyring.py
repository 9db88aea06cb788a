"""Master keys: the one that writes, and older ones that still read.

A key's id is derived from the key itself, so nobody has to name keys. Every field has a key of its own, derived from a
master and the field's label.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_BYTES = 32
KEY_ID_BYTES = 4
SECRET_SETTINGS = ("ENCRYPTION_KEY", "BLIND_INDEX_KEY", "SECRET_KEY", "JWT_SECRET", "AUDIT_SIGNING_KEY")
ADVICE = "make one with: openssl rand -base64 32"

_STANDARD_ALPHABET = str.maketrans("-_", "+/")


class KeyringError(ImproperlyConfigured):
    """A key in the settings cannot be used; the message names the setting and never the key."""


@dataclass(frozen=True)
class Problem:
    """Why a setting cannot serve as a key."""

    kind: Literal["missing", "malformed", "reused"]
    message: str


@dataclass(frozen=True)
class Keyring:
    """The masters by key id; `writing` is the id of the one that seals."""

    masters: Mapping[bytes, bytes] = field(repr=False)
    writing: bytes

    def cipher(self, key_id: bytes, label: str) -> AESGCM:
        """Return the cipher of one field under one master. Raises KeyError for an id that is not configured."""
        return _cipher(self.masters[key_id], label)

    def is_outdated(self, key_id: bytes) -> bool:
        """Say whether `key_id` still reads but no longer writes."""
        return key_id != self.writing and key_id in self.masters


def keyring() -> Keyring:
    """Return the ring that the settings describe now. Raises KeyringError."""
    return _ring(master_keys("ENCRYPTION_KEY"))


def master_keys(setting: str) -> tuple[bytes, ...]:
    """Return the key in `setting`, then those in its `_FALLBACKS`. Raises KeyringError with all that is wrong."""
    return _masters(setting, _texts(setting), _other_secrets(setting))


def key_problems(setting: str) -> list[Problem]:
    """List what is wrong with the keys in `setting` and its `_FALLBACKS`."""
    return _problems(setting, _texts(setting), _other_secrets(setting))


def decode_key(text: str) -> bytes:
    """Decode base64, standard or urlsafe, padded or not. Raises ValueError unless it holds exactly 32 bytes."""
    digits = text.strip().rstrip("=").translate(_STANDARD_ALPHABET)
    try:
        key = base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"holds {len(key)} bytes, not {KEY_BYTES}")
    return key


def derive(master: bytes, purpose: str, length: int = KEY_BYTES) -> bytes:
    """Derive a key for one purpose; different purposes share nothing."""
    info = f"mindfulqalb {purpose}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(master)


def key_id(master: bytes) -> bytes:
    """Return the four bytes by which tokens name this master."""
    return derive(master, "key id", KEY_ID_BYTES)


def _texts(setting: str) -> tuple[str, ...]:
    return (getattr(settings, setting, ""), *getattr(settings, f"{setting}_FALLBACKS", ()))


def _other_secrets(setting: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, getattr(settings, name, None) or "") for name in SECRET_SETTINGS if name != setting)


# The caches are keyed by the settings' own values, so a changed setting is a new entry and nothing has to be cleared.
@lru_cache(maxsize=32)
def _masters(setting: str, texts: tuple[str, ...], others: tuple[tuple[str, str], ...]) -> tuple[bytes, ...]:
    problems = _problems(setting, texts, others)
    if problems:
        raise KeyringError("; ".join(problem.message for problem in problems))
    return tuple(decode_key(text) for text in texts)


@lru_cache(maxsize=32)
def _ring(masters: tuple[bytes, ...]) -> Keyring:
    return Keyring(masters={key_id(master): master for master in masters}, writing=key_id(masters[0]))


@lru_cache(maxsize=1024)
def _cipher(master: bytes, label: str) -> AESGCM:
    return AESGCM(derive(master, f"field {label}"))


def _problems(setting: str, texts: tuple[str, ...], others: tuple[tuple[str, str], ...]) -> list[Problem]:
    found: list[Problem] = []
    names_by_id: dict[bytes, str] = {}
    for index, text in enumerate(texts):
        name = setting if index == 0 else f"{setting}_FALLBACKS[{index - 1}]"
        if not text:
            found.append(Problem("missing", f"{name} is missing; {ADVICE}"))
            continue
        try:
            key = decode_key(text)
        except ValueError as error:
            found.append(Problem("malformed", f"{name} {error}; {ADVICE}"))
            continue
        twins = [other for other, secret in others if _is_same_secret(key, secret)]
        twins += [names_by_id[key_id(key)]] if key_id(key) in names_by_id else []
        found += [Problem("reused", f"{name} is the same key as {twin}; {ADVICE}") for twin in twins]
        names_by_id[key_id(key)] = name
    return found


def _is_same_secret(key: bytes, secret: str) -> bool:
    if key == secret.encode():
        return True
    try:
        return key == decode_key(secret)
    except ValueError:
        return False
