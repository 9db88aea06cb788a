"""How long events keep what they tell. Their heads stay, so that the chain over them holds for ever.

Events that vouch for a row go with the row, by the rule of its kind: a purge that keeps digests keeps them. Those that
say what was removed stay whole: without them nobody could tell a rule from a theft. Neither names a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from mindfulqalb.audit.actions import REMOVALS
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import erase_payloads
from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import chunks
from mindfulqalb.retention.states import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mindfulqalb.retention.registry import Removal

# One statement of at most 250 ms beside a live server, as measured with `purge_expired --measure`.
ERASED_AT_ONCE = 200


def erase_events(pks: Sequence[Any], removal: Removal) -> None:
    """Leave of events who did what to which object and when, and nothing of what staff wrote beside it."""
    for chunk in chunks(pks, ERASED_AT_ONCE):
        erase_payloads(event_ids=chunk, rule=removal.rule, actor=removal.actor, now=removal.now)


EVENTS = keep(
    Retained(
        kind="audit_event",
        model=AuditEvent,
        since="occurred_at",
        about="target",
        holding=Q(salt__isnull=False, evidence__isnull=True) & ~Q(action__in=REMOVALS),
        actions={Action.ERASE: erase_events},
        is_gathered=False,
    )
)
