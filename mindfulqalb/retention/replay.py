"""After a restored backup: let go again what had gone before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from mindfulqalb.retention.holds import held_subjects, lock_purge
from mindfulqalb.retention.models import Tombstone
from mindfulqalb.retention.purging import BY_REQUEST, BY_TIME, CHUNK_ROWS, Purged, Task, remove_rows, run_task
from mindfulqalb.retention.registry import kinds
from mindfulqalb.retention.states import Action
from mindfulqalb.retention.timetable import Rule, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime


def replay_tombstones(*, copies: Sequence[Tombstone], actor: str, now: datetime) -> Iterator[Purged]:
    """Take away what tombstones, ours and the copies, say is gone and a backup has brought back. Safe to repeat.

    It goes as it went: up to the same day and in the same way, whatever the timetable says by now.
    """
    stones = {stone.id: stone for stone in (*copies, *Tombstone.objects.all())}.values()
    for (kind, action), cutoff in _cutoffs(stones).items():
        task = Task(kinds[kind], _as_it_went(kind, action), BY_TIME, cutoff)
        yield from run_task(task=task, actor=actor, now=now)
    for stone in stones:
        if stone.cutoff is None and stone.kind in kinds:
            yield from _again(stone, actor, now)


def _cutoffs(stones: object) -> dict[tuple[str, str], datetime]:
    latest: dict[tuple[str, str], datetime] = {}
    for stone in stones:  # type: ignore[attr-defined]
        if stone.cutoff is not None and stone.kind in kinds:
            key = (stone.kind, stone.action)
            latest[key] = max(stone.cutoff, latest.get(key, stone.cutoff))
    return latest


def _as_it_went(kind: str, action: str) -> Rule:
    rule = rule_for(kind)
    return Rule(rule.name, rule.minimum, rule.period, Action(action))


def _again(stone: Tombstone, actor: str, now: datetime) -> Iterator[Purged]:
    retained = kinds[stone.kind]
    task = Task(retained, _as_it_went(stone.kind, stone.action), BY_REQUEST, now)
    with transaction.atomic():
        lock_purge()
        back = retained.rows().filter(pk__in=stone.rows[:CHUNK_ROWS]).exclude(retained.of(held_subjects()))
        pks = list(back.select_for_update(of=("self",)).values_list("pk", flat=True))
        if pks:
            remove_rows(task=task, pks=pks, actor=actor, now=now)
    if pks:
        yield Purged(task, len(pks))
