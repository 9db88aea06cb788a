"""Changes that come by themselves: a session expires, a bank answers late, a pending refund comes to an end."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mindfulqalb.sandbox.clock import now
from mindfulqalb.sandbox.store import Record, store

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

KIND = "timer"
LONGEST_WAIT_SECONDS = 60.0

_actions: dict[str, Callable[[Record], None]] = {}
_wake = threading.Event()


def timed(name: str) -> Callable[[Callable[[Record], None]], Callable[[Record], None]]:
    """Register what happens when a timer of this name is due."""

    def register(action: Callable[[Record], None]) -> Callable[[Record], None]:
        _actions[name] = action
        return action

    return register


def set_timer(name: str, *, due_at: datetime, details: Record) -> None:
    """Let the action happen at that moment of the sandbox's clock; a restart does not forget it."""
    with store().transaction():
        number = store().count("timer")
        timer = {"id": number, "name": name, "dueAt": due_at.timestamp(), "details": details}
        store().put(KIND, str(number), timer)
        store().after_commit(wake)


def set_timer_in(name: str, seconds: float, details: Record) -> None:
    """Let the action happen after so many seconds."""
    set_timer(name, due_at=now() + timedelta(seconds=seconds), details=details)


def wake() -> None:
    """Look at the timers again: one was set, or the clock was moved."""
    _wake.set()


def run_due_timers() -> None:
    """Do everything that is due by now, each in a transaction of its own."""
    for timer in sorted(store().all(KIND), key=lambda timer: (timer["dueAt"], timer["id"])):
        if timer["dueAt"] <= now().timestamp():
            _run(timer)


def _run(timer: Record) -> None:
    try:
        with store().transaction():
            if store().remove(KIND, str(timer["id"])):
                _actions[timer["name"]](timer["details"])
    except Exception:
        # What cannot be done any more must not stop the timers that come after it.
        logger.exception("A timer failed: %s", timer["name"])
        store().remove(KIND, str(timer["id"]))


def start_timing(stopping: threading.Event) -> None:
    """Start the thread that does what is due."""
    threading.Thread(target=_run_forever, args=(stopping,), name="timers", daemon=True).start()


def _run_forever(stopping: threading.Event) -> None:
    while not stopping.is_set():
        _wake.clear()
        run_due_timers()
        _wake.wait(min(LONGEST_WAIT_SECONDS, _seconds_to_next()))


def _seconds_to_next() -> float:
    timers = store().all(KIND)
    soonest = min((timer["dueAt"] for timer in timers), default=now().timestamp() + LONGEST_WAIT_SECONDS)
    return float(max(0.0, soonest - now().timestamp()))


def moment(timestamp: float) -> datetime:
    """Return a Unix timestamp as a moment in UTC."""
    return datetime.fromtimestamp(timestamp, UTC)
