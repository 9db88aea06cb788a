"""Write the audit trail."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django.db import transaction

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.actions import ERASED, PURGED, READ, REMOVALS
from mindfulqalb.audit.appending import append
from mindfulqalb.audit.digests import salted_digest
from mindfulqalb.audit.doors import open_door
from mindfulqalb.audit.evidence import vouch_for
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.observability.request_ids import current_request_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import Model

SALT_BYTES = 16
# So that what one erasure says of itself stays a readable row.
LARGEST_REMOVAL = 500


class ReasonRequired(Refusal):
    """Somebody looked at, took out or removed personal data and did not say why."""

    code = "reason_required"
    status = 400
    sentence = "Please say why: it goes on record."


class RemovalRefused(Refusal):
    """A removal that the audit trail could not account for afterwards."""

    code = "removal_refused"
    status = 409
    sentence = "This cannot be removed from the audit trail."


def record(
    *,
    action: str,
    actor: str,
    target: str,
    now: datetime,
    details: dict[str, Any] | None = None,
    reason: str = "",
    evidence: Model | None = None,
) -> AuditEvent:
    """Record an act. Call it inside the transaction of the act, so that neither can be without the other.

    `details` holds ids, states, amounts and digests only: what is written here stays when the person is erased.
    `evidence` is the row, just written, that this event vouches for from now on.
    """
    event = prepare(
        action=action, actor=actor, target=target, now=now, details=details, reason=reason, evidence=evidence
    )
    append(event)
    return event


def prepare(
    *,
    action: str,
    actor: str,
    target: str,
    now: datetime,
    details: dict[str, Any] | None = None,
    reason: str = "",
    evidence: Model | None = None,
) -> AuditEvent:
    """Make an event as `record` does, unsaved: for many that are written at once."""
    salt = secrets.token_bytes(SALT_BYTES)
    payload = {
        "details": details or {},
        "evidence": vouch_for(evidence, salt=salt) if evidence is not None else None,
        "reason": reason,
    }
    return AuditEvent(
        action=action,
        actor=actor,
        target=target,
        occurred_at=now,
        request_id=current_request_id(),
        payload_digest=salted_digest(salt, payload),
        salt=salt,
        **payload,
    )


def record_read(*, actor: str, target: str, fields: Sequence[str], reason: str, now: datetime) -> AuditEvent:
    """Record that somebody looked at the personal data in `fields`, before it is shown to them.

    Raises ReasonRequired.
    """
    return record(
        action=READ,
        actor=actor,
        target=target,
        details={"fields": sorted(fields)},
        reason=required_reason(reason),
        now=now,
    )


def required_reason(reason: str) -> str:
    """Return the reason without the space around it. Raises ReasonRequired when nothing is left."""
    if not reason.strip():
        raise ReasonRequired(fields={"reason": ["Please say why."]})
    return reason.strip()


@transaction.atomic
def erase_payloads(*, event_ids: Sequence[UUID], rule: str, actor: str, now: datetime) -> AuditEvent:
    """Erase payloads with their salts under a rule, and record which; the heads stay, and the chain over them.

    At most LARGEST_REMOVAL at once. Raises RemovalRefused for events that say themselves what was removed.
    """
    _refuse_unaccountable(event_ids)
    events = AuditEvent.objects.filter(id__in=event_ids)
    if events.filter(action__in=REMOVALS).exists():
        raise RemovalRefused
    with open_door("retention"):
        events.update(salt=None, details=None, evidence=None, reason=None)
    details = {"rule": rule, "events": sorted(str(event_id) for event_id in event_ids)}
    return record(action=ERASED, actor=actor, target=f"rule:{rule}", details=details, now=now)


def record_purge(*, targets: Sequence[str], rule: str, actor: str, now: datetime) -> AuditEvent:
    """Record, in the transaction that deletes them, which rows of evidence (`consent:<id>`) go under which rule.

    At most LARGEST_REMOVAL at once.
    """
    _refuse_unaccountable(targets)
    return record(
        action=PURGED,
        actor=actor,
        target=f"rule:{rule}",
        details={"rule": rule, "targets": sorted(targets)},
        now=now,
    )


def _refuse_unaccountable(removed: Sequence[object]) -> None:
    if not removed or len(removed) > LARGEST_REMOVAL:
        raise RemovalRefused(f"Remove between 1 and {LARGEST_REMOVAL} at once, not {len(removed)}.")
