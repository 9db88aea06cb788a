"""Try the calendar while somebody waits, for a bounded time, in a bounded number of threads."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from mindfulqalb.outbox.registry import RetryLater
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1

_lanes = ThreadPoolExecutor(max_workers=settings.CALENDAR_REQUEST_CALLS, thread_name_prefix="calendar")
_free_lanes = BoundedSemaphore(settings.CALENDAR_REQUEST_CALLS)


def wait_for_calendar(
    attempt: Callable[[], object], *, booking_id: UUID, is_being_asked: Callable[[], bool], deadline: float
) -> None:
    """Make an attempt, and return when it has ended, or after `deadline` seconds.

    A read timeout does not bound a slow answer, so the call runs in a thread that goes on and writes down its answer
    when nobody waits any more. When all threads are busy, or the worker is at it already, this only waits.
    """
    ends = time.monotonic() + deadline
    future = _start(attempt, booking_id)
    is_others_turn = future is None or _wait_for(future, ends)
    while is_others_turn and time.monotonic() < ends and is_being_asked():
        time.sleep(POLL_SECONDS)


def _start(attempt: Callable[[], object], booking_id: UUID) -> Future[bool] | None:
    if not _free_lanes.acquire(blocking=False):
        return None
    return _lanes.submit(_try, attempt, booking_id)


def _try(attempt: Callable[[], object], booking_id: UUID) -> bool:
    """Try, and return whether somebody else is at it, for whom it is worth waiting."""
    try:
        attempt()
    except RetryLater:
        return True
    except ProviderError:
        logger.warning("calendar did not answer in a request; the worker takes booking %s over", booking_id)
    except Exception as error:  # noqa: BLE001  the booking is ours by now: whoever waits hears "pending", never a 500
        logger.error("calendar attempt for booking %s broke off: %s", booking_id, type(error).__name__)  # noqa: TRY400
    finally:
        connection.close()
        _free_lanes.release()
    return False


def _wait_for(future: Future[bool], ends: float) -> bool:
    try:
        return future.result(timeout=max(0.0, ends - time.monotonic()))
    except Overdue:
        logger.warning("calendar took longer than a request may")
        return False
