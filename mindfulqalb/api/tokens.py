"""Signed tokens (JWT, RFC 7519): one mechanism for clients' links and, under another audience, for staff."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import jwt
from django.conf import settings

from mindfulqalb.api.errors import Unauthorized

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest
    from rest_framework.request import Request

Audience = Literal["staff", "booking", "reminders", "consent"]

ALGORITHM = "HS256"
ISSUER = "mindfulqalb"
# Ours are some 300 characters; nothing longer is worth a look.
LONGEST_TOKEN = 1024
# Two servers' clocks may differ by this much.
CLOCK_SKEW = timedelta(seconds=60)


class InvalidToken(Unauthorized):
    """Forged, expired, revoked or meant for something else: which of them, we do not say."""

    code = "invalid_token"
    sentence = "This link is not valid any more. Please use the one in your latest email from us."


@dataclass(frozen=True)
class Claims:
    """Whom a token speaks for, and which version of them: raising the version revokes all their earlier tokens."""

    subject: str
    version: int


@dataclass(frozen=True)
class BookingClaims:
    """The booking that a client's link opens."""

    booking_id: UUID
    version: int


def issue_token(*, audience: Audience, claims: Claims, now: datetime, expires_at: datetime) -> str:
    """Sign a token that is good for `audience` until `expires_at` (to the second)."""
    payload = {
        "iss": ISSUER,
        "aud": audience,
        "sub": claims.subject,
        "ver": claims.version,
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
    }
    secret = settings.JWT_SECRET
    return jwt.encode(payload, secret, algorithm=ALGORITHM, headers={"kid": key_id(secret)})


def key_id(secret: str) -> str:
    """Name a key without giving it away, so that a token says by which of them it was signed."""
    return hashlib.sha256(b"mindfulqalb.jwt:" + secret.encode()).hexdigest()[:12]


def read_token(token: str, *, audience: Audience, now: datetime) -> Claims:
    """Read a token issued for exactly this audience, or raise InvalidToken.

    Times are judged against `now` and not against the machine's clock. Whether the version still stands is for the
    caller to compare with the row.
    """
    payload = _verified(token, audience)
    version, issued, expires = payload["ver"], payload["iat"], payload["exp"]
    if not all(type(number) is int for number in (version, issued, expires)):
        raise InvalidToken
    if now.timestamp() >= expires or issued > (now + CLOCK_SKEW).timestamp():
        raise InvalidToken
    return Claims(subject=payload["sub"], version=version)


def issue_booking_token(*, booking_id: UUID, version: int, now: datetime, expires_at: datetime) -> str:
    """Sign the token in a client's link to one booking."""
    claims = Claims(subject=str(booking_id), version=version)
    return issue_token(audience="booking", claims=claims, now=now, expires_at=expires_at)


def read_booking_token(token: str, *, now: datetime) -> BookingClaims:
    """Read the token of a client's link, or raise InvalidToken. Compare `version` with the booking's."""
    claims = read_token(token, audience="booking", now=now)
    try:
        return BookingClaims(booking_id=UUID(claims.subject), version=claims.version)
    except ValueError as exc:
        raise InvalidToken from exc


def bearer_token(request: HttpRequest | Request) -> str:
    """Take the token out of `Authorization: Bearer <token>`; raise Unauthorized when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized
    return token.strip()


def _verified(token: str, audience: Audience) -> dict[str, Any]:
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise InvalidToken
    try:
        return jwt.decode(
            token,
            _key_of(token),
            algorithms=[ALGORITHM],
            audience=audience,
            issuer=ISSUER,
            options={
                "require": ["iss", "aud", "sub", "ver", "iat", "exp"],
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.PyJWTError as exc:
        raise InvalidToken from exc


def _key_of(token: str) -> str:
    """Find the key that a token names: ours, or one that JWT_SECRET_FALLBACKS still accepts."""
    named = jwt.get_unverified_header(token).get("kid")
    known: dict[object, str] = {
        key_id(secret): secret for secret in (settings.JWT_SECRET, *settings.JWT_SECRET_FALLBACKS)
    }
    if named not in known:
        raise InvalidToken
    return known[named]
