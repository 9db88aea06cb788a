"""The audit trail on the first page: whether it is sealed, signed and verified."""

from __future__ import annotations

from datetime import timedelta

from mindfulqalb.audit.models import AuditCheckpoint, AuditEvent, AuditSeal, AuditVerification
from mindfulqalb.staff.desk.items import Sign, Task, ago, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel
from mindfulqalb.staff.desk.signs import NEVER, NEW_HERE, Round

# The beat seals every minute, and signs and verifies every night.
SEALED_WITHIN = timedelta(minutes=10)
NIGHTLY = timedelta(hours=36)


@panel(Area.TASKS, "audit.view_auditverification")
def broken_trail(_viewer: Viewer) -> list[Task]:
    """What the last look through the trail found."""
    last = AuditVerification.objects.order_by("-started_at").first()
    advice = "The trail does not fit together. Read the findings, and change nothing before somebody has looked."
    count = last.finding_count if last else 0
    return [Task("Findings of the last verification", count, advice, list_url(AuditVerification))]


@panel(Area.HEALTH, "audit.view_auditseal")
def last_seal(viewer: Viewer) -> list[Sign]:
    """Whether what was recorded is chained by now."""
    sealed_at = AuditSeal.objects.order_by("-sequence").values_list("chained_at", flat=True).first()
    recorded_at = AuditEvent.objects.order_by("-occurred_at").values_list("recorded_at", flat=True).first()
    is_behind = recorded_at is not None and (sealed_at is None or sealed_at < recorded_at)
    is_well = not is_behind or viewer.now - (recorded_at or viewer.now) < SEALED_WITHIN
    never = NEW_HERE if is_well else NEVER
    text = f"{ago((viewer.now - sealed_at).total_seconds())} ago" if sealed_at else never
    return [Sign("Last seal of the audit trail", text, is_well, list_url(AuditSeal))]


@panel(Area.HEALTH, "audit.view_auditcheckpoint")
def last_checkpoint(viewer: Viewer) -> list[Sign]:
    """When the end of the chain was last signed."""
    signed_at = AuditCheckpoint.objects.order_by("-number").values_list("signed_at", flat=True).first()
    return [Round("Last signed checkpoint", NIGHTLY, list_url(AuditCheckpoint)).sign(signed_at, now=viewer.now)]


@panel(Area.HEALTH, "audit.view_auditverification")
def last_verification(viewer: Viewer) -> list[Sign]:
    """When the trail was last looked through, and how that ended."""
    last = AuditVerification.objects.order_by("-started_at").first()
    ended_at, count = (last.finished_at, last.finding_count) if last else (None, 0)
    verification = Round("Last verification of the audit trail", NIGHTLY, list_url(AuditVerification))
    return [verification.sign(ended_at, now=viewer.now, found=f"{count} findings", is_trouble=bool(count))]
