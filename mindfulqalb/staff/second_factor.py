"""The second factor: an authenticator app, and recovery codes for the day when the phone is gone."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b32decode, b32encode
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import transaction
from django_otp.oath import TOTP

from mindfulqalb.api.errors import TooManyRequests
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.staff.models import Authenticator, RecoveryCode, StaffMember
from mindfulqalb.staff.sign_in import log_out_everywhere

if TYPE_CHECKING:
    from datetime import datetime

RECOVERY_CODES = 10
# Without signs that are easily taken for another; sixteen of these are 79 bits, so that a plain digest guards them.
RECOVERY_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_LENGTH = 16
SECRET_BYTES = 20  # RFC 4226: as long as the digest
STEP_SECONDS = 30
DIGITS = 6
# A code of the step before or after counts: people type slowly, and clocks differ.
TOLERANCE_STEPS = 1
# Wrong codes in a row before each costs a pause, and how long the first and the longest are. Whoever has the password
# would otherwise guess a code within weeks, at the pace that the limits of a login allow.
FREE_REFUSALS = 5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
TELLING_REFUSAL = 10  # at which the owner hears of it by mail


def confirmed_authenticator(member: StaffMember) -> Authenticator | None:
    """Return the authenticator that this person has proved to hold."""
    return Authenticator.objects.filter(member=member, confirmed_at__isnull=False).first()


def needs_second_factor(member: StaffMember) -> bool:
    """Whether a password alone is not enough: always where the practice demands it, else for those who have one."""
    return settings.STAFF_SECOND_FACTOR_REQUIRED or confirmed_authenticator(member) is not None


def begin_enrolment(*, member: StaffMember, now: datetime) -> Authenticator:
    """Make the secret that the person scans; repeating it shows the same one until it is confirmed.

    Raises Authenticator.DoesNotExist where there is a confirmed one: it is replaced by an administrator's reset only.
    """
    with transaction.atomic():
        StaffMember.objects.select_for_update().get(id=member.id)
        secret = b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
        found, _ = Authenticator.objects.get_or_create(member=member, defaults={"secret": secret, "created_at": now})
        if found.confirmed_at is not None:
            raise Authenticator.DoesNotExist
    return found


def enrolment_uri(authenticator: Authenticator) -> str:
    """Spell the secret as authenticator apps scan it.

    https://github.com/google/google-authenticator/wiki/Key-Uri-Format
    """
    issuer = settings.PRACTICE_NAME.replace(":", "")
    label = quote(f"{issuer}:{authenticator.member.get_username()}")
    parameters = {
        "secret": authenticator.secret,
        "issuer": issuer,
        "algorithm": "SHA1",
        "digits": DIGITS,
        "period": STEP_SECONDS,
    }
    return f"otpauth://totp/{label}?{urlencode(parameters, quote_via=quote)}"


def confirm_enrolment(*, member: StaffMember, code: str, now: datetime) -> list[str] | None:
    """Take the first code as proof and return the recovery codes, to be shown once; None for a wrong code."""
    with transaction.atomic():
        authenticator = Authenticator.objects.select_for_update().filter(member=member, confirmed_at=None).first()
        if authenticator is None or not _spend_code(authenticator, code, now):
            return None
        authenticator.confirmed_at = now
        authenticator.save(update_fields=["confirmed_at"])
        _record("staff.second_factor_enrolled", member, now)
        return _replace_recovery_codes(member)


def verify_code(*, member: StaffMember, code: str, now: datetime) -> Authenticator | None:
    """Spend a code of the app, or a recovery code; None when it is neither. No code counts twice, not even at once.

    Raises TooManyRequests while wrong codes in a row have brought a pause: then no code counts.
    """
    with transaction.atomic():
        authenticator = Authenticator.objects.select_for_update().filter(member=member).first()
        if authenticator is None or authenticator.confirmed_at is None:
            return None
        if authenticator.paused_until is not None and now < authenticator.paused_until:
            raise TooManyRequests(retry_after=authenticator.paused_until - now)
        if _spend_code(authenticator, code, now) or _spend_recovery_code(member, code, now):
            _note_refusals(authenticator, 0, now)
            return authenticator
        _note_refusals(authenticator, authenticator.refusals + 1, now)
        _record("staff.second_factor_refused", member, now)
        return None


def renew_recovery_codes(*, member: StaffMember, now: datetime) -> list[str]:
    """Make new recovery codes; the old ones are void."""
    with transaction.atomic():
        StaffMember.objects.select_for_update().get(id=member.id)
        _record("staff.recovery_codes_renewed", member, now)
        return _replace_recovery_codes(member)


def reset_second_factor(*, member: StaffMember, actor: str, now: datetime) -> None:
    """Forget a lost authenticator, so that the person enrols a new one at the next login; what it opened is shut."""
    with transaction.atomic():
        Authenticator.objects.filter(member=member).delete()
        RecoveryCode.objects.filter(member=member).delete()
        record(action="staff.second_factor_reset", actor=actor, target=f"staff:{member.id}", now=now)
        log_out_everywhere(member=member, actor=actor, now=now)


def recovery_codes_left(member: StaffMember) -> int:
    """Count the recovery codes that still work."""
    return RecoveryCode.objects.filter(member=member, used_at=None).count()


def code_at(authenticator: Authenticator, moment: datetime) -> str:
    """Compute what the person's app shows at a moment."""
    return f"{_totp(authenticator, moment).token():0{DIGITS}}"


def _totp(authenticator: Authenticator, moment: datetime) -> TOTP:
    totp = TOTP(b32decode(authenticator.secret), step=STEP_SECONDS, digits=DIGITS)
    totp.time = moment.timestamp()
    return totp


def _note_refusals(authenticator: Authenticator, count: int, now: datetime) -> None:
    authenticator.refusals, authenticator.paused_until = count, None
    if count >= FREE_REFUSALS:
        doubled: timedelta = FIRST_PAUSE * 2 ** min(count - FREE_REFUSALS, 10)
        authenticator.paused_until = now + min(doubled, LONGEST_PAUSE)
    authenticator.save(update_fields=["refusals", "paused_until"])
    if count == TELLING_REFUSAL:
        payload = {"member_id": str(authenticator.member_id)}
        enqueue(topic="email.codes_refused", lane=f"staff:{authenticator.member_id}", payload=payload, now=now)


def _spend_code(authenticator: Authenticator, code: str, now: datetime) -> bool:
    digits = code.replace(" ", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdecimal()):
        return False
    totp = _totp(authenticator, now)
    if not totp.verify(int(digits), TOLERANCE_STEPS, authenticator.last_step + 1):
        return False
    authenticator.last_step = totp.t()
    authenticator.save(update_fields=["last_step"])
    return True


def _spend_recovery_code(member: StaffMember, code: str, now: datetime) -> bool:
    unused = RecoveryCode.objects.filter(member=member, digest=_recovery_digest(member, code), used_at=None)
    if not unused.update(used_at=now):
        return False
    _record("staff.recovery_code_used", member, now)
    return True


def _replace_recovery_codes(member: StaffMember) -> list[str]:
    RecoveryCode.objects.filter(member=member).delete()
    codes = [_random_code() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(member=member, digest=_recovery_digest(member, code)) for code in codes
    )
    return codes


def _random_code() -> str:
    signs = "".join(secrets.choice(RECOVERY_SIGNS) for _ in range(RECOVERY_LENGTH))
    return "-".join(signs[start : start + 4] for start in range(0, RECOVERY_LENGTH, 4))


def _recovery_digest(member: StaffMember, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    return hashlib.sha256(f"{member.id}:{plain}".encode()).hexdigest()


def _record(action: str, member: StaffMember, now: datetime) -> None:
    record(action=action, actor=f"staff:{member.id}", target=f"staff:{member.id}", now=now)
