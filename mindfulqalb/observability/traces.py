"""What a log line, an error report and a vendor call say about whence they come."""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from celery import current_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

# The replay of what a visitor saw, at LogRocket: an address of theirs and nothing else, for it is shown as a link.
# https://docs.logrocket.com/reference/get-session-url
REPLAY_URL = re.compile(r"https://app\.logrocket\.com/[A-Za-z0-9_./-]{1,200}")

_replay_url: ContextVar[str] = ContextVar("replay_url", default="")
_user_id: ContextVar[str] = ContextVar("user_id", default="")
_task_id: ContextVar[str] = ContextVar("task_id", default="")


def current_traces() -> dict[str, str]:
    """Return what is known of userId, taskId and replayUrl."""
    task_id = _task_id.get() or (current_task.request.id if current_task else "")
    known = {"userId": _user_id.get(), "taskId": task_id, "replayUrl": _replay_url.get()}
    return {name: value for name, value in known.items() if value}


def note_user(user_id: str) -> None:
    """Name the member of staff on whose behalf this goes on; call it within `bound_request` or `bound_task`."""
    _user_id.set(user_id)


@contextmanager
def bound_request(request: HttpRequest) -> Iterator[None]:
    """Take a request's X-LogRocket-URL, if it is one, and forget whoever was noted before."""
    given = request.headers.get("X-LogRocket-URL", "")
    replay = _replay_url.set(given if REPLAY_URL.fullmatch(given) else "")
    user = _user_id.set("")
    try:
        yield
    finally:
        _user_id.reset(user)
        _replay_url.reset(replay)


@contextmanager
def bound_task(task_id: str) -> Iterator[None]:
    """Name a unit of background work that is smaller than a Celery task: an outbox message."""
    task = _task_id.set(task_id)
    try:
        yield
    finally:
        _task_id.reset(task)
