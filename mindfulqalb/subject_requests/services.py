"""Take requests in, note who asked, erase, and close: each step on record, none with a person's name in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record, required_reason
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.retention.models import Restriction
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.subject_requests.states import DUE, RequestKind

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID


class IdentityNotVerified(Refusal):
    """Nobody has noted how we know that it is them."""

    code = "identity_not_verified"
    status = 409
    sentence = "Note first how their identity was verified."


class RequestClosed(Refusal):
    """It has come to its end before."""

    code = "request_closed"
    status = 409
    sentence = "This request is closed."


def receive_request(*, kind: str, email: str, wish: str, actor: str, now: datetime) -> SubjectRequest:
    """Take a request into the register; from now on it is due."""
    with transaction.atomic():
        request = SubjectRequest.objects.create(
            kind=kind,
            email=email,
            email_hash=email_digest(email),
            wish=wish,
            received_at=now,
            due_at=now + DUE[RequestKind(kind)],
        )
        _note(request, "received", actor, now, {"kind": kind})
    return request


def verify_identity(*, request_id: UUID, verification: str, actor: str, now: datetime) -> SubjectRequest:
    """Note how we know that it is them. Raises RequestClosed."""
    with transaction.atomic():
        request = _open(request_id)
        request.verification, request.verified_at = verification, now
        request.save(update_fields=["verification", "verified_at"])
        _note(request, "verified", actor, now, {"verification": verification})
    return request


def begin_erasure(*, request_id: UUID, reason: str, actor: str, now: datetime) -> Restriction:
    """Stop using a person's data at once; each record goes by the nightly purge when the law no longer keeps it.

    Asked for again, it is the same restriction. Raises IdentityNotVerified, RequestClosed, ReasonRequired.
    """
    why = required_reason(reason)
    with transaction.atomic():
        request = _open(request_id)
        if not request.verification:
            raise IdentityNotVerified
        restriction, is_new = Restriction.objects.get_or_create(
            person_hash=request.email_hash, settled_at=None, defaults={"since": now}
        )
        if is_new:
            _note(request, "erasure_begun", actor, now, {"restriction": str(restriction.id), "reason": why})
    return restriction


def close_request(*, request_id: UUID, outcome: str, reason: str, actor: str, now: datetime) -> SubjectRequest:
    """Close a request with what came of it. Raises IdentityNotVerified, RequestClosed, ReasonRequired."""
    why = required_reason(reason)
    with transaction.atomic():
        request = _open(request_id)
        if not request.verification:
            raise IdentityNotVerified
        request.outcome, request.closed_at = outcome, now
        request.save(update_fields=["outcome", "closed_at"])
        _note(request, "closed", actor, now, {"outcome": outcome, "reason": why})
    return request


def _open(request_id: UUID) -> SubjectRequest:
    request = SubjectRequest.objects.select_for_update().get(id=request_id)
    if request.closed_at:
        raise RequestClosed
    return request


def _note(request: SubjectRequest, what: str, actor: str, now: datetime, details: dict[str, Any]) -> None:
    why = details.pop("reason", "")
    target = f"subject_request:{request.id}"
    record(action=f"subject_request.{what}", actor=actor, target=target, details=details, reason=why, now=now)
