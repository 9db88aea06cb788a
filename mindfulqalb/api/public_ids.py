"""Ids as the world sees them: a word and the row's UUID, `booking_` or `consent_` and 26 characters."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from uuid import UUID

from mindfulqalb.api.errors import NotFound

_ENCODED = re.compile(r"[a-z2-7]{26}")


class UnknownId(NotFound):
    """No row can have this id."""

    code = "unknown_id"
    sentence = "This id does not exist."


@dataclass(frozen=True)
class PublicId:
    """One kind of public id: lower-case base32 (RFC 4648) without padding behind `prefix` and an underscore."""

    prefix: str

    def encode(self, row_id: UUID) -> str:
        """Spell a row's id."""
        return f"{self.prefix}_{_encode(row_id)}"

    def decode(self, text: str) -> UUID:
        """Read an id, or raise UnknownId: every UUID has exactly one spelling."""
        prefix, _, encoded = text.partition("_")
        if prefix != self.prefix or not _ENCODED.fullmatch(encoded):
            raise UnknownId
        row_id = UUID(bytes=base64.b32decode(f"{encoded.upper()}======"))
        # 26 characters hold 130 bits: the last two must be zero.
        if _encode(row_id) != encoded:
            raise UnknownId
        return row_id


def _encode(row_id: UUID) -> str:
    return base64.b32encode(row_id.bytes).decode().rstrip("=").lower()


BOOKING = PublicId("booking")
CONSENT = PublicId("consent")
