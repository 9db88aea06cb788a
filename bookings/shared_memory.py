"""What all processes remember together, for a while: kept in Redis.

While Redis is away each process remembers for itself, and a hung Redis costs its timeout once in a while and not with
every word. So whatever stands here may be forgotten at any time; nothing that matters may depend on it.
"""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from functools import cache as made_once
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from django.core.cache import BaseCache, cache
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

logger = logging.getLogger(__name__)

ALONE_SECONDS = 5.0
T = TypeVar("T")


class SharedMemory:
    """Names and values that run out after some seconds."""

    def __init__(self) -> None:
        """Start in good faith, with an own memory that is empty."""
        self._own = LocMemCache(f"shared-memory-{uuid4().hex}", {})
        self._alone_until = float("-inf")

    @property
    def is_alone(self) -> bool:
        """Whether this process remembers for itself just now."""
        return time.monotonic() < self._alone_until

    def recall(self, names: Iterable[str]) -> dict[str, Any]:
        """Return what is known of these names, in one question."""
        wanted = list(names)
        return self._with_memory(lambda memory: memory.get_many(wanted))

    def keep(self, name: str, value: Any, *, seconds: float) -> None:
        """Remember a value."""
        self.keep_all({name: value}, seconds=seconds)

    def keep_all(self, values: dict[str, Any], *, seconds: float) -> None:
        """Remember some values."""
        self._with_memory(lambda memory: memory.set_many(values, seconds))

    def keep_first(self, name: str, value: Any, *, seconds: float) -> bool:
        """Remember a value unless there is one; tell whether this was the first."""
        return bool(self._with_memory(lambda memory: memory.add(name, value, seconds)))

    def forget(self, name: str) -> None:
        """Forget it now."""
        self._with_memory(lambda memory: memory.delete(name))

    def count(self, name: str, by: int, *, seconds: float) -> None:
        """Add to a number that starts at nothing."""

        def add(memory: BaseCache) -> None:
            memory.add(name, 0, seconds)
            with suppress(ValueError):  # it ran out between the two words
                memory.incr(name, by)

        self._with_memory(add)

    def _with_memory(self, use: Callable[[BaseCache], T]) -> T:
        if self.is_alone:
            return use(self._own)
        try:
            return use(cache)
        except (RedisError, OSError):
            self._alone_until = time.monotonic() + ALONE_SECONDS
            logger.warning("Redis is away: this process remembers for itself")
            return use(self._own)


@made_once
def shared_memory() -> SharedMemory:
    """Return the memory of this process."""
    return SharedMemory()
