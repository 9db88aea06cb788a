"""A worker that ends has ended soon, so that a new one takes its place."""

from __future__ import annotations

import logging
import os
import signal
from contextlib import suppress
from threading import Timer
from typing import Any

import billiard
from celery import bootsteps
from django.conf import settings

logger = logging.getLogger(__name__)


class EndInTimeStep(bootsteps.StartStopStep):
    """Ends the worker by force WORKER_STOP_SECONDS after it began to end, whatever it is still waiting for.

    When Redis vanishes while Celery reconnects, its main process gives up, and may then wait for its own children for
    ever: alive, deaf, and never started again. What is cut off here stands in the outbox and is done by the next.
    https://github.com/celery/celery/issues/8030
    """

    def close(self, parent: Any) -> None:
        """Start the clock: Celery calls this before it stops anything."""
        clock = Timer(settings.WORKER_STOP_SECONDS, _end)
        clock.daemon = True
        clock.start()


def _end() -> None:
    logger.critical("The worker did not end within %s s and is ended.", settings.WORKER_STOP_SECONDS)
    for pid in [child.pid for child in billiard.active_children() if child.pid]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(1)
