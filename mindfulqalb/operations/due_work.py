"""The beat's work for where no beat runs: whatever its schedule says is due is done here and now."""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from celery.schedules import maybe_schedule
from django.core.cache import cache
from redis.exceptions import RedisError

from mindfulqalb.celery import app

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

SWEEP = "outbox.sweep"
MEMORY_SECONDS = 7 * 86400
# A cron job starts a second late and the next one does not: what is due once a minute must not miss every other.
PUNCTUALITY = timedelta(seconds=30)


@dataclass(frozen=True)
class Done:
    """A task of the schedule that was run, and the kind of error it ended with, if any."""

    task: str
    error: str | None


def run_due_work(*, now: datetime, everything: bool = False) -> Iterator[Done]:
    """Run what the schedule has due, one after the other; what fails stops nothing that comes after it.

    When a task last ran is remembered in the cache; where that is lost it runs once more, which does no harm.
    """
    app.loader.import_default_modules()
    for entry in _entries_with_the_sweep_last():
        if everything or _is_due(entry, now):
            _remember(entry["task"], now)
            yield _run(entry["task"])


def _entries_with_the_sweep_last() -> list[dict[str, Any]]:
    """The others leave messages in the outbox that the sweep can deliver at once."""
    return sorted(app.conf.beat_schedule.values(), key=lambda entry: entry["task"] == SWEEP)


def _is_due(entry: dict[str, Any], now: datetime) -> bool:
    last = _last_run(entry["task"])
    if last is None:
        return True
    schedule: Any = maybe_schedule(copy(entry["schedule"]), app=app)
    schedule.nowfun = lambda: now + PUNCTUALITY
    return bool(schedule.is_due(last).is_due)


def _run(task: str) -> Done:
    result = app.tasks[task].apply()
    if result.successful():
        return Done(task, None)
    logger.error("%s failed: %s", task, type(result.result).__name__)
    return Done(task, type(result.result).__name__)


def _key(task: str) -> str:
    return f"due-work:{task}"


def _last_run(task: str) -> datetime | None:
    try:
        last = cache.get(_key(task))
    except RedisError:
        return None
    return datetime.fromisoformat(last) if last else None


def _remember(task: str, now: datetime) -> None:
    try:
        cache.set(_key(task), now.isoformat(), MEMORY_SECONDS)
    except RedisError as failure:
        logger.warning("%s will run again next time: %s", task, type(failure).__name__)
