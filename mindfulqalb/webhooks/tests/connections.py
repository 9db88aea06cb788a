"""Several database connections at once."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 10


def start_threads(work: Callable[[], Any], *, count: int) -> list[Future[Any]]:
    """Run the same work in several threads, each with a connection of its own."""

    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    with_threads = ThreadPoolExecutor(count)
    futures = [with_threads.submit(run) for _ in range(count)]
    with_threads.shutdown(wait=False)
    return futures


def await_waiting(count: int) -> None:
    """Return when so many connections to this database wait for a lock."""
    end = time.monotonic() + PATIENCE_SECONDS
    while _waiting() < count:
        if time.monotonic() > end:
            raise TimeoutError(f"{_waiting()} of {count} connections wait for a lock")
        time.sleep(0.02)


def _waiting() -> int:
    with connection.cursor() as cursor:
        # The answer of the view is kept for a transaction unless told otherwise.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        (count,) = cursor.fetchone()
    return int(count)
