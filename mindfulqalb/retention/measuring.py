"""How long the database takes over a purge: a long statement would hold others up."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Longest:
    """The longest statement so far, how long all took, and how many there were."""

    milliseconds: float = 0.0
    statement: str = ""
    count: int = 0

    def note(self, statement: str, seconds: float) -> None:
        """Take one into account."""
        self.count += 1
        if seconds * 1000 > self.milliseconds:
            self.milliseconds, self.statement = seconds * 1000, statement


@contextmanager
def measured() -> Iterator[Longest]:
    """Time every statement that this connection runs in the block."""
    longest = Longest()

    def run(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        began = time.monotonic()
        try:
            return execute(sql, *rest)
        finally:
            longest.note(sql, time.monotonic() - began)

    with connection.execute_wrapper(run):
        yield longest
