"""How long consent records are kept, and how evidence goes without breaking the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consent.models import ConsentRecord
from mindfulqalb.audit.doors import open_door
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import LARGEST_REMOVAL, erase_payloads, record_purge
from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import chunks, detach
from mindfulqalb.retention.states import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mindfulqalb.retention.registry import Removal


def purge_records(pks: Sequence[Any], removal: Removal) -> None:
    """Let records go; their salted digests stay, so that a copy which somebody shows can still be checked."""
    for chunk in chunks([f"consent:{pk}" for pk in pks], LARGEST_REMOVAL):
        record_purge(targets=chunk, rule=removal.rule, actor=removal.actor, now=removal.now)
    detach(ConsentRecord, pks)
    with open_door("retention"):
        ConsentRecord.objects.filter(pk__in=pks)._raw_delete("default")  # noqa: SLF001


def erase_records(pks: Sequence[Any], removal: Removal) -> None:
    """Let records go with all that the audit trail says of their content; the chain stays valid."""
    purge_records(pks, removal)
    targets = [f"consent:{pk}" for pk in pks]
    events = AuditEvent.objects.filter(target__in=targets, salt__isnull=False).values_list("id", flat=True)
    for chunk in chunks(list(events), LARGEST_REMOVAL):
        erase_payloads(event_ids=chunk, rule=removal.rule, actor=removal.actor, now=removal.now)


RECORDS = keep(
    Retained(
        kind="consent",
        model=ConsentRecord,
        since="created_at",
        ends="expires_at",
        person="email_hash",
        actions={Action.KEEP_DIGEST: purge_records, Action.ERASE: erase_records},
    )
)
