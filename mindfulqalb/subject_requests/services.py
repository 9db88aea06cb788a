"""Take requests in, note who asked, erase, and close: each step on record, none with a person's name in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from mindfulqalb.api.errors import InvalidInput, Refusal
from mindfulqalb.audit.services import record, required_reason
from mindfulqalb.encryption.blind_index import email_digest, phone_digest
from mindfulqalb.retention.restrictions import restrict_person
from mindfulqalb.subject_requests.answers import Asked, Particulars, answers
from mindfulqalb.subject_requests.gathering import gather
from mindfulqalb.subject_requests.models import SubjectRequest
from mindfulqalb.subject_requests.states import DUE, RequestKind

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from mindfulqalb.retention.models import Restriction
    from mindfulqalb.subject_requests.gathering import Held

NOT_SAID = Particulars()


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


class NothingToDo(Refusal):
    """Requests of this kind are answered by people, or nothing is here that this one could be about."""

    code = "nothing_to_do"
    status = 409
    sentence = "There is nothing of theirs here that this could change."


class NotAskedFor(Refusal):
    """All that is held is for whoever asked to see it."""

    code = "not_asked_for"
    status = 409
    sentence = "This person did not ask to see what is held: take that request in first."


def receive_request(
    *, kind: str, email: str, wish: str, actor: str, now: datetime, particulars: Particulars = NOT_SAID
) -> SubjectRequest:
    """Take a request into the register; from now on it is due.

    A correction says what should stand there, a nomination whom they name. Raises InvalidInput.
    """
    if missing := missing_particulars(kind, particulars):
        raise InvalidInput(fields={name: [sentence] for name, sentence in missing.items()})
    with transaction.atomic():
        request = SubjectRequest.objects.create(
            kind=kind,
            email=email,
            email_hash=email_digest(email),
            wish=wish,
            person_name=particulars.name or None,
            person_email=particulars.email or None,
            person_phone=particulars.phone or None,
            person_phone_hash=phone_digest(particulars.phone),
            received_at=now,
            due_at=now + DUE[RequestKind(kind)],
        )
        _note(request, "received", actor, now, {"kind": kind})
    return request


def missing_particulars(kind: str, particulars: Particulars) -> dict[str, str]:
    """Say, by field, what a request of this kind lacks or has too much."""
    if kind == RequestKind.CORRECTION and not particulars.are_given:
        return {"person_name": "Say what should stand there: a name, an email address or a phone number."}
    if kind == RequestKind.NOMINATION and not (particulars.name and (particulars.email or particulars.phone)):
        return {"person_name": "Say whom they name, and how to reach them: by email or phone."}
    if kind not in {RequestKind.CORRECTION, RequestKind.NOMINATION} and particulars.are_given:
        return {"person_name": "Only a correction or a nomination says this."}
    return {}


def answer_request(*, request_id: UUID, reason: str, actor: str, now: datetime) -> int:
    """Do what is asked, where a service of ours can: correct, or withdraw; return how many rows it was about.

    The request stays open, for what people still have to say. Raises IdentityNotVerified, RequestClosed,
    ReasonRequired, NothingToDo, and whatever the service refuses.
    """
    why = required_reason(reason)
    with transaction.atomic():
        request = _open(request_id)
        if not request.verification:
            raise IdentityNotVerified
        answer = answers.get(request.kind)
        particulars = Particulars(request.person_name or "", request.person_email or "", request.person_phone or "")
        count = answer(Asked(request.email, particulars, actor, why, now)) if answer else 0
        if not count:
            raise NothingToDo
        _note(request, "answered", actor, now, {"kind": request.kind, "rows": count, "reason": why})
    return count


def hand_out_held(*, request_id: UUID, reason: str, actor: str, now: datetime) -> Held:
    """Return all that is held on whoever asked to see it, on record.

    Raises IdentityNotVerified, RequestClosed, NotAskedFor for a request of another kind, ReasonRequired.
    """
    with transaction.atomic():
        request = _open(request_id)
        if request.kind != RequestKind.ACCESS:
            raise NotAskedFor
        if not request.verification:
            raise IdentityNotVerified
        return gather(email=request.email, actor=actor, reason=reason, now=now, target=f"subject_request:{request.id}")


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
        restriction, is_new = restrict_person(email=request.email, since=now)
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
