"""Write the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.observability.request_ids import current_request_id

if TYPE_CHECKING:
    from datetime import datetime


def record(*, action: str, actor: str, target: str, now: datetime, details: dict[str, Any] | None = None) -> AuditEvent:
    """Record an act. Call it inside the transaction of the act, so that neither can be without the other.

    `details` holds ids, states, amounts and digests only: what is written here stays when the person is erased.
    """
    return AuditEvent.objects.create(
        action=action,
        actor=actor,
        target=target,
        occurred_at=now,
        request_id=current_request_id(),
        details=details or {},
    )
