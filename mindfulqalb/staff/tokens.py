"""Tokens of the staff API: short access tokens, and refresh tokens that are spent at their first use."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate
from django.db import transaction

from mindfulqalb.api.errors import Forbidden, Unauthorized
from mindfulqalb.api.tokens import Claims, InvalidToken, issue_token, read_token
from mindfulqalb.audit.services import record
from mindfulqalb.staff.models import RefreshToken, StaffMember
from mindfulqalb.staff.second_factor import confirmed_authenticator, needs_second_factor, verify_code
from mindfulqalb.staff.sign_in import log_out_everywhere

if TYPE_CHECKING:
    from datetime import datetime

REFRESH_BYTES = 32


class WrongCredentials(Unauthorized):
    """Name, password or code: which of them, we do not say."""

    code = "wrong_credentials"
    sentence = "User name, password or code is not right."


class SecondFactorMissing(Unauthorized):
    """The password was right, and the code of the authenticator app is missing."""

    code = "second_factor_required"
    sentence = "Please add the code of your authenticator app."


class SecondFactorNotSetUp(Forbidden):
    """This account has no authenticator yet, and the practice wants one."""

    code = "second_factor_not_set_up"
    sentence = "Please log in to the admin once and set up your authenticator app."


class PasswordNotChosen(Forbidden):
    """Somebody else knows the password of this account."""

    code = "password_not_chosen"
    sentence = "Please log in to the admin once and choose a password of your own."


class StaffTokenInvalid(InvalidToken):
    """Forged, expired, spent or revoked."""

    sentence = "Please sign in again."


@dataclass(frozen=True)
class TokenPair:
    """What a caller gets: `access` for the calls, `refresh` for the next pair."""

    access: str
    refresh: str
    lifetime: timedelta


def sign_in(*, username: str, password: str, code: str, now: datetime) -> tuple[StaffMember, TokenPair]:
    """Give a pair to whoever proves to be this person.

    Raises WrongCredentials, SecondFactorMissing, -NotSetUp,
    and PasswordNotChosen.
    """
    member = authenticate(username=username, password=password)
    if not isinstance(member, StaffMember) or not member.is_staff:
        raise WrongCredentials
    if needs_second_factor(member):
        _require_code(member, code, now)
    if member.must_change_password:
        raise PasswordNotChosen
    return member, _pair(member, now)


def refresh_pair(*, refresh: str, now: datetime) -> TokenPair:
    """Spend a refresh token for a new pair. Raises StaffTokenInvalid.

    A token that comes a second time was stolen, from one side or the other: all of the person's tokens and sessions
    end.
    """
    with transaction.atomic():
        token = RefreshToken.objects.select_for_update(of=("self",)).filter(digest=_digest(refresh)).first()
        pair = _spend(token, now) if token else None
    if pair is None:
        raise StaffTokenInvalid
    return pair


def revoke_refresh(*, refresh: str, now: datetime) -> None:
    """Forget a refresh token; an unknown one is forgotten already."""
    with transaction.atomic():
        token = RefreshToken.objects.select_for_update(of=("self",)).filter(digest=_digest(refresh)).first()
        if token is not None:
            _record("staff.token_revoked", token.member_id, now)
            token.delete()


def member_of_access_token(token: str, *, now: datetime) -> StaffMember:
    """Find whom an access token speaks for. Raises StaffTokenInvalid."""
    try:
        claims = read_token(token, audience="staff", now=now)
        member = StaffMember.objects.filter(id=UUID(claims.subject), is_active=True, is_staff=True).first()
    except (InvalidToken, ValueError):
        raise StaffTokenInvalid from None
    if member is None or member.token_version != claims.version:
        raise StaffTokenInvalid
    return member


def forget_old_refresh_tokens(*, now: datetime) -> int:
    """Delete what has expired, and return how many."""
    count, _ = RefreshToken.objects.filter(expires_at__lte=now).delete()
    return count


def _require_code(member: StaffMember, code: str, now: datetime) -> None:
    if confirmed_authenticator(member) is None:
        raise SecondFactorNotSetUp
    if not code:
        raise SecondFactorMissing(fields={"code": ["Please add the code."]})
    if verify_code(member=member, code=code, now=now) is None:
        raise WrongCredentials


def _spend(token: RefreshToken, now: datetime) -> TokenPair | None:
    member = token.member
    if token.spent_at is not None:
        log_out_everywhere(member=member, actor="system", now=now)
        return None
    may_go_on = member.is_active and member.is_staff and member.token_version == token.token_version
    if not may_go_on or token.expires_at <= now:
        return None
    token.spent_at = now
    token.save(update_fields=["spent_at"])
    return _pair(member, now)


def _pair(member: StaffMember, now: datetime) -> TokenPair:
    lifetime = timedelta(minutes=settings.STAFF_ACCESS_TOKEN_MINUTES)
    claims = Claims(subject=str(member.id), version=member.token_version)
    access = issue_token(audience="staff", claims=claims, now=now, expires_at=now + lifetime)
    refresh = secrets.token_urlsafe(REFRESH_BYTES)
    with transaction.atomic():
        RefreshToken.objects.create(
            member=member,
            digest=_digest(refresh),
            token_version=member.token_version,
            created_at=now,
            expires_at=now + timedelta(days=settings.STAFF_REFRESH_TOKEN_DAYS),
        )
        _record("staff.token_issued", member.id, now)
    return TokenPair(access, refresh, lifetime)


def _digest(refresh: str) -> str:
    return hashlib.sha256(refresh.encode()).hexdigest()


def _record(action: str, member_id: UUID, now: datetime) -> None:
    record(action=action, actor=f"staff:{member_id}", target=f"staff:{member_id}", now=now)
