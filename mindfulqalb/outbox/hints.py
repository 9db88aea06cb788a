"""Tell a worker that a message is due. A hint may be lost: the sweep finds the message anyway."""

from __future__ import annotations

import logging
from time import monotonic
from typing import TYPE_CHECKING

from kombu import pools
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from mindfulqalb.celery import app

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

logger = logging.getLogger(__name__)

# Without max_retries, kombu goes on trying to connect for seconds.
LONGEST_WAIT = 0.5
TRANSPORT_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "max_retries": 0}


class Breaker:
    """Remembers that the broker failed, so that this process leaves it alone for some seconds."""

    def __init__(self, *, pause: float) -> None:
        """Start closed; `pause` is in seconds."""
        self._pause = pause
        self._open_until = float("-inf")

    def is_open(self) -> bool:
        """Tell whether the broker is to be left alone."""
        return monotonic() < self._open_until

    def trip(self) -> None:
        """Leave the broker alone from now on."""
        self._open_until = monotonic() + self._pause


breaker = Breaker(pause=10.0)


def publish_hint(*, message_id: UUID, due_at: datetime) -> None:
    """Ask a worker to deliver a message now; costs half a second when the broker is dead or hung, and then nothing."""
    if breaker.is_open():
        return
    try:
        _publish({"message_id": str(message_id), "due_at": due_at.isoformat()})
    except (KombuError, RedisError, OSError) as failure:
        breaker.trip()
        logger.warning("outbox hint not published, the sweep will deliver: %s", failure)


def _publish(wanted: dict[str, str]) -> None:
    # From kombu's pool: to connect for each hint cost as much as all the rest of a webhook. It connects anew what a
    # restart of the broker has cut, drops what failed, and is not shared across a fork.
    lines = pools.connections[app.connection_for_write(transport_options=TRANSPORT_OPTIONS)]
    with lines.acquire(block=True, timeout=LONGEST_WAIT) as line:
        app.send_task("outbox.deliver", kwargs=wanted, connection=line, retry=False)
