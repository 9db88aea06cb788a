"""Copies of tombstones outside of the database, where a restored backup does not make them forgotten."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings

from mindfulqalb.audit.digests import plain
from mindfulqalb.outbox.queries import is_waiting
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.retention.models import Tombstone

TOPIC = "retention.tombstones_stored"
COLUMNS = ("id", "kind", "rule", "action", "cutoff", "row_count", "digest", "rows", "actor", "purged_at")
# A purge makes many within a minute, and one copy is enough for all.
DELAY = timedelta(minutes=1)


def send_copy(*, now: datetime) -> None:
    """Ask for a copy of this day's tombstones, where RETENTION_TOMBSTONE_DIRECTORY names a place; once for many."""
    lane = f"tombstones:{now:%Y-%m-%d}"
    if settings.RETENTION_TOMBSTONE_DIRECTORY and not is_waiting(lane=lane, topic=TOPIC):
        enqueue(topic=TOPIC, lane=lane, payload={"day": f"{now:%Y-%m-%d}"}, now=now, due_at=now + DELAY)


def store_copy(*, day: date) -> Path:
    """Write the tombstones of a day, whole; whoever reads meanwhile sees the old copy or the new one."""
    file = Path(settings.RETENTION_TOMBSTONE_DIRECTORY) / f"tombstones-{day}.jsonl"
    lines = [json.dumps(_line(stone)) for stone in Tombstone.objects.filter(purged_at__date=day).order_by("id")]
    fresh = file.with_suffix(".new")
    fresh.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    os.replace(fresh, file)  # noqa: PTH105  (atomic, as its name says)
    return file


def read_copies(directory: Path) -> list[Tombstone]:
    """Read all copies, oldest first. Raises OSError, and ValueError for a file that is none."""
    files = sorted(directory.glob("tombstones-*.jsonl"))
    return [_stone(json.loads(line)) for file in files for line in file.read_text(encoding="ascii").splitlines()]


def _line(stone: Tombstone) -> dict[str, Any]:
    values = {name: getattr(stone, name) for name in COLUMNS}
    return {name: value if _is_json(value) else plain(value) for name, value in values.items()}


def _is_json(value: object) -> bool:
    return value is None or isinstance(value, str | int | list)


def _stone(values: dict[str, Any]) -> Tombstone:
    cutoff = values["cutoff"] and datetime.fromisoformat(values["cutoff"])
    return Tombstone(**values | {"id": UUID(values["id"]), "cutoff": cutoff})
