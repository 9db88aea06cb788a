"""Coming in and going out: who may try, what is noted, and how to end it everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from mindfulqalb.api.addresses import client_address
from mindfulqalb.api.throttles import seconds_to_wait
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.staff.models import KnownDevice, RefreshToken, StaffMember

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest
    from rest_framework.request import Request


@dataclass(frozen=True)
class Visitor:
    """What the network shows of whoever logs in."""

    network: str
    user_agent: str


def visitor_of(request: HttpRequest | Request) -> Visitor:
    """Read it off a request."""
    return Visitor(client_address(request).network, request.headers.get("User-Agent", "")[:500])


def seconds_before_attempt(request: HttpRequest | Request, *, username: str) -> int | None:
    """Count an attempt to come in, by address and by account; None when it may be made.

    Raises Unavailable while nobody can count: this door stays shut then.
    """
    account = hashlib.sha256(username.strip().casefold().encode()).hexdigest()
    by_address = f"address:{client_address(request).network}"
    waits = [
        seconds_to_wait(request, scope="login", identity=by_address, fail_open=False),
        seconds_to_wait(request, scope="account", identity=f"account:{account}", fail_open=False),
    ]
    return max((wait for wait in waits if wait is not None), default=None)


def note_sign_in(*, member: StaffMember, visitor: Visitor, now: datetime) -> None:
    """Record that somebody came in; from a browser and network not seen before, their own mail says so."""
    digest = salted_hmac("staff.device", f"{visitor.network}|{visitor.user_agent}", algorithm="sha256").hexdigest()
    with transaction.atomic():
        knows_any = KnownDevice.objects.filter(member=member).exists()
        _, is_new = KnownDevice.objects.update_or_create(
            member=member,
            digest=digest,
            defaults={"last_seen_at": now},
            create_defaults={"last_seen_at": now, "first_seen_at": now},
        )
        record(
            action="staff.signed_in",
            actor=f"staff:{member.id}",
            target=f"staff:{member.id}",
            now=now,
            details={"new_device": is_new},
        )
        if is_new and knows_any and member.email:
            enqueue(topic="email.new_device", lane=f"staff:{member.id}", payload={"member_id": str(member.id)}, now=now)


def log_out_everywhere(*, member: StaffMember, actor: str, now: datetime) -> None:
    """End every session and token of a person, this one included."""
    with transaction.atomic():
        StaffMember.objects.filter(id=member.id).update(access_version=F("access_version") + 1)
        RefreshToken.objects.filter(member=member).delete()
        record(action="staff.logged_out_everywhere", actor=actor, target=f"staff:{member.id}", now=now)
