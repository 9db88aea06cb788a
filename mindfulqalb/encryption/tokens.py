"""The sealed form of one value: version, key id, nonce, AES-256-GCM ciphertext with its tag."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cryptography.exceptions import InvalidTag

from mindfulqalb.encryption.keyring import KEY_ID_BYTES, keyring

VERSION = b"\x01"
NONCE_BYTES = 12
TAG_BYTES = 16
BLOCK_BYTES = 32  # lengths are rounded up to this, so that they do not tell "Ann" from "Alexandra"
HEADER_BYTES = len(VERSION) + KEY_ID_BYTES
MINIMUM_BYTES = HEADER_BYTES + NONCE_BYTES + BLOCK_BYTES + TAG_BYTES


class Reason(StrEnum):
    """Why a value cannot be opened."""

    NOT_SEALED = "it is not a sealed value"
    UNKNOWN_KEY = "its key is not configured"
    ALTERED = "it was altered, or moved here from another row or column"


class CannotOpen(Exception):
    """A sealed value did not open; the message has label, row id and `reason`, and nothing of the value."""

    def __init__(self, reason: Reason, label: str, row: str) -> None:
        """Keep the arguments as they are: exceptions are rebuilt from them when they travel between processes."""
        super().__init__(reason, label, row)
        self.reason = reason
        self.label = label
        self.row = row

    def __str__(self) -> str:
        return f"{self.label} of row {self.row} cannot be opened: {self.reason}"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A value as the database holds it. `row` is the row that it was read for, None while nobody has said."""

    token: bytes = field(repr=False)
    label: str
    row: str | None = None

    def bound_to(self, row: str) -> Sealed:
        """Return it as a value of `row`; one that belongs to a row already stays there."""
        return replace(self, row=row) if self.row is None else self

    def open(self) -> str:
        """Return the plaintext. Raises CannotOpen."""
        return open_(self.token, label=self.label, row=self.row or "")

    @property
    def key_id(self) -> bytes:
        """The id of the master that it was sealed under."""
        return self.token[len(VERSION) : HEADER_BYTES]


class Carried(Sealed):
    """A value on its way from a fixture to its row: the attribute gives it as it is, so that it can be saved."""

    __slots__ = ()


def seal(text: str, *, label: str, row: str) -> bytes:
    """Return a token that opens only under the same label and row id. Raises ValueError for lone surrogates."""
    ring = keyring()
    nonce = os.urandom(NONCE_BYTES)
    cipher = ring.cipher(ring.writing, label)
    return VERSION + ring.writing + nonce + cipher.encrypt(nonce, _pad(_encode(text, label)), bound_data(label, row))


def open_(token: bytes, *, label: str, row: str) -> str:
    """Return the plaintext of a token. Raises CannotOpen."""
    if not is_token(token):
        raise CannotOpen(Reason.NOT_SEALED, label, row)
    key_id, body = token[len(VERSION) : HEADER_BYTES], token[HEADER_BYTES:]
    nonce, ciphertext = body[:NONCE_BYTES], body[NONCE_BYTES:]
    try:
        padded = keyring().cipher(key_id, label).decrypt(nonce, ciphertext, bound_data(label, row))
    except KeyError:
        raise CannotOpen(Reason.UNKNOWN_KEY, label, row) from None
    except InvalidTag:
        raise CannotOpen(Reason.ALTERED, label, row) from None
    return _unpad(padded).decode()


def is_token(value: bytes) -> bool:
    """Say whether `value` has the outward form of a token; only opening it tells whether it is one."""
    return value.startswith(VERSION) and len(value) >= MINIMUM_BYTES


def bound_data(label: str, row: str) -> bytes:
    """Return the bytes that tie a token to its place; no two places have the same."""
    name = label.encode()
    return len(name).to_bytes(2) + name + row.encode()


def _encode(text: str, label: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Django's error pages and Sentry would print the whole text that UnicodeEncodeError carries.
        raise ValueError(f"{label}: the text holds half a surrogate pair and cannot be stored") from None


def _pad(data: bytes) -> bytes:
    marked = data + b"\x80"
    return marked + bytes(-len(marked) % BLOCK_BYTES)


def _unpad(data: bytes) -> bytes:
    return data.rstrip(b"\x00")[:-1]
