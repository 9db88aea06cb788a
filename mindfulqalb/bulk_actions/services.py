"""Begin an action over many rows, and end one that nobody came through with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from mindfulqalb.audit.services import record
from mindfulqalb.bulk_actions.models import BulkAction, BulkActionRow
from mindfulqalb.bulk_actions.states import RowState
from mindfulqalb.outbox.services import enqueue

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import Model

    from mindfulqalb.bulk_actions.outcomes import Instruction

TOPIC = "bulk_action.work"
GIVEN_UP = "This was not tried: the server gave the work up. Please choose it again."


@transaction.atomic
def begin_bulk_action(
    *, key: UUID, model: str, action: str, title: str, rows: Sequence[Model], told: Instruction
) -> BulkAction:
    """Write down what is to be done to which rows, for a worker; the same page answered twice is the same action."""
    begun, is_new = BulkAction.objects.get_or_create(
        key=key,
        actor=told.actor,
        defaults={
            "model": model,
            "action": action,
            "title": title,
            "reason": told.reason or None,
            "value": told.value or None,
            "row_count": len(rows),
            "asked_at": told.now,
        },
    )
    if is_new:
        BulkActionRow.objects.bulk_create(_rows_of(begun, rows))
        details = {"model": model, "action": action, "rows": len(rows)}
        record(action="bulk_action.begun", actor=told.actor, target=begun.lane, details=details, now=told.now)
        call_worker(begun, now=told.now)
    return begun


@transaction.atomic
def give_up(*, bulk_action_id: UUID, now: datetime) -> None:
    """End an action that no worker came through with: what was not tried says so, and can be chosen again."""
    left = BulkAction.objects.select_for_update().get(id=bulk_action_id)
    waiting = left.rows.filter(state=RowState.WAITING)
    left.not_done_count += waiting.update(state=RowState.FAILED, sentence=GIVEN_UP)
    end_if_done(left, now=now)


def end_if_done(under_way: BulkAction, *, now: datetime) -> None:
    """Save the counts of an action whose row the caller has locked, and end it with its last row."""
    columns = ["done_count", "not_done_count"]
    if not under_way.waiting_count and under_way.finished_at is None:
        under_way.finished_at, under_way.reason, under_way.value = now, None, None
        columns += ["finished_at", "reason", "value"]
        details = {"done": under_way.done_count, "not_done": under_way.not_done_count}
        actor, target = under_way.actor, under_way.lane
        record(action="bulk_action.finished", actor=actor, target=target, details=details, now=now)
    under_way.save(update_fields=columns)


def call_worker(under_way: BulkAction, *, now: datetime) -> None:
    """Ask for a worker, in the caller's transaction."""
    enqueue(topic=TOPIC, lane=under_way.lane, payload={"bulk_action_id": str(under_way.id)}, now=now)


def _rows_of(begun: BulkAction, rows: Sequence[Model]) -> list[BulkActionRow]:
    return [
        BulkActionRow(bulk_action=begun, position=position, object_id=str(row.pk), name=str(row)[:200])
        for position, row in enumerate(rows)
    ]
