"""The sandbox's time: the machine's, moved by the `clockOffsetSeconds` switch."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from mindfulqalb.sandbox.switches import switch


def now() -> datetime:
    """Return the sandbox's present, in UTC."""
    return datetime.now(UTC) + timedelta(seconds=switch("clockOffsetSeconds"))


def unix_now() -> int:
    """Return the sandbox's present as a Unix timestamp in whole seconds."""
    return int(now().timestamp())


def machine_now() -> int:
    """Return the machine's present as a Unix timestamp: the gateways' callers compare it with their own clock."""
    return int(time.time())


def iso(moment: datetime) -> str:
    """Write a moment as JavaScript does: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_iso(text: str) -> datetime:
    """Read an ISO 8601 moment; without an offset it means UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
