"""Take away what is kept no longer: a chunk at a time, each with a tombstone; cut off anywhere, the next run goes on.

Nothing is remembered between runs: what is left to do is found in the rows themselves.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q

from mindfulqalb.audit.services import record
from mindfulqalb.retention.copies import send_copy
from mindfulqalb.retention.holds import held_subjects, lock_purge
from mindfulqalb.retention.models import Restriction, Tombstone
from mindfulqalb.retention.registry import Removal, Retained, Subjects, kinds
from mindfulqalb.retention.timetable import Rule, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from django.db.models import Model, QuerySet

# The goal is 250 ms for the longest statement, beside a live server.
CHUNK_ROWS = 500
BY_TIME, BY_REQUEST = "time", "request"
TIMETABLE = "retention:timetable"


@dataclass(frozen=True)
class Task:
    """One kind of record to go through, for one ground; `cutoff` is its own for what time ends."""

    retained: Retained
    rule: Rule
    ground: str
    cutoff: datetime

    @property
    def name(self) -> str:
        """Kind and ground, as progress and dry runs show it."""
        return self.retained.kind if self.ground == BY_TIME else f"{self.retained.kind} (asked for)"

    def due(self, now: datetime) -> QuerySet[Model]:
        """Find what is to go and nothing holds."""
        overdue = Q(**{f"{self.retained.clock}__lte": self.cutoff})
        wanted = overdue if self.ground == BY_TIME else _asked_for(self.retained, self.rule, now) & ~overdue
        return self.retained.rows().filter(wanted).exclude(self.retained.of(held_subjects()))


@dataclass(frozen=True)
class Purged:
    """What one transaction took away."""

    task: Task
    row_count: int


def tasks(*, now: datetime) -> list[Task]:
    """List what there is to go through: first what time ends, then what persons asked for."""
    ruled = [(retained, rule_for(retained.kind)) for retained in kinds.values()]
    return [
        Task(retained, rule, ground, now if retained.ends else now - rule.period)
        for ground in (BY_TIME, BY_REQUEST)
        for retained, rule in ruled
    ]


def count_expired(*, now: datetime) -> dict[str, int]:
    """Say what a purge would take away now, kind by kind; take nothing."""
    return {task.name: task.due(now).count() for task in tasks(now=now)}


def purge_expired(*, now: datetime, actor: str = "system", chunk_rows: int = CHUNK_ROWS) -> Iterator[Purged]:
    """Take away all that is due. Each step that is yielded is committed; that it came to its end is on record."""
    row_count = 0
    for task in tasks(now=now):
        for step in run_task(task=task, actor=actor, now=now, chunk_rows=chunk_rows):
            row_count += step.row_count
            yield step
    settle_restrictions(now=now)
    record(action="retention.purge_finished", actor=actor, target=TIMETABLE, details={"rows": row_count}, now=now)


def run_task(*, task: Task, actor: str, now: datetime, chunk_rows: int = CHUNK_ROWS) -> Iterator[Purged]:
    """Take away what one task finds, chunk after chunk. A row that somebody else holds waits for the next run."""
    reached: datetime | None = None
    while True:
        with transaction.atomic():
            lock_purge()
            rows = _lock_next(task, reached, now, chunk_rows)
            if rows:
                remove_rows(task=task, pks=[pk for pk, _ in rows], actor=actor, now=now)
        if rows:
            yield Purged(task, len(rows))
            reached = rows[-1][1]
        if len(rows) < chunk_rows:
            return


def remove_rows(*, task: Task, pks: Sequence[Any], actor: str, now: datetime) -> Tombstone:
    """Take rows away in the caller's transaction, and leave a tombstone and an audit event."""
    rule = task.rule.name if task.ground == BY_TIME else f"{task.rule.name} on request"
    removal = Removal(rule, task.rule.action, actor, now)
    task.retained.actions[removal.action](pks, removal)
    ids = sorted(str(pk) for pk in pks)
    tombstone = Tombstone.objects.create(
        kind=task.retained.kind,
        rule=rule,
        action=removal.action,
        cutoff=task.cutoff if task.ground == BY_TIME else None,
        row_count=len(ids),
        digest=hashlib.sha256("\n".join(ids).encode()).hexdigest(),
        rows=[] if task.ground == BY_TIME else ids,
        actor=actor,
        purged_at=now,
    )
    _note(tombstone, now)
    send_copy(now=now)
    return tombstone


def settle_restrictions(*, now: datetime) -> int:
    """Close the restrictions of which nothing is left to erase; return how many."""
    settled = [item for item in Restriction.objects.filter(settled_at=None) if not _is_anything_left(item)]
    return Restriction.objects.filter(id__in=[item.id for item in settled]).update(settled_at=now, email=None)


def _lock_next(task: Task, reached: datetime | None, now: datetime, limit: int) -> list[tuple[Any, datetime]]:
    """Lock the next rows; return their ids and clocks.

    They are looked for from the last chunk's clock on: what lies before it in the index leads to rows that are gone,
    until the table is vacuumed, and every chunk would try them all again.
    """
    clock = task.retained.clock
    due = task.due(now) if reached is None else task.due(now).filter(**{f"{clock}__gte": reached})
    locked = due.order_by(clock, "pk").select_for_update(skip_locked=True, of=("self",))
    return list(locked.values_list("pk", clock)[:limit])


def _asked_for(retained: Retained, rule: Rule, now: datetime) -> Q:
    """Tell what restricted persons' rows the law no longer keeps; what came after they asked is not meant."""
    asked = Q(pk__in=[])
    for restriction in Restriction.objects.filter(settled_at=None):
        own = retained.of(Subjects(persons=restriction.digests))
        asked |= own & retained.made_by(restriction.since) & Q(**{f"{retained.since}__lte": now - rule.minimum})
    return asked


def _is_anything_left(restriction: Restriction) -> bool:
    subjects = Subjects(persons=restriction.digests)
    return any(
        retained.rows_to_come().filter(retained.of(subjects), retained.made_by(restriction.since)).exists()
        for retained in kinds.values()
    )


def _note(tombstone: Tombstone, now: datetime) -> None:
    record(
        action="retention.purged",
        actor=tombstone.actor,
        target=f"tombstone:{tombstone.id}",
        details={"rule": tombstone.rule, "rows": tombstone.row_count, "digest": tombstone.digest},
        evidence=tombstone,
        now=now,
    )
