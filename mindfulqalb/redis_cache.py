"""Django's Redis cache in fewer words: every request counts and recalls, and most of what that costs is the asking."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

# RATELIMIT_CACHE_PREFIX
COUNTERS = "rl:"


class FrugalClient(RedisCacheClient):
    """Keeps its Redis client instead of making one per command, and adds in one round trip instead of two."""

    def __init__(self, *servers: Any, **options: Any) -> None:
        """Take what Django's takes."""
        super().__init__(*servers, **options)
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """Return a client; it holds a connection of its pool for the time of one command only."""
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]

    def incr(self, key: Any, delta: int) -> int:
        """Add to a counter. Raises ValueError when it has run out: what was begun without an end must not stay."""
        client = self.get_client(key, write=True)
        count, seconds_left = client.pipeline(transaction=False).incr(key, delta).ttl(key).execute()
        if seconds_left < 0:
            client.delete(key)
            raise ValueError(key)
        return int(count)

    def count(self, key: str, timeout: float | None) -> int:
        """Count one, beginning with an end where there is nothing yet; both in one round trip."""
        said = self.get_client(key, write=True).pipeline().set(key, 0, ex=timeout, nx=True).incr(key)
        return int(said.execute()[1])


class FrugalRedisCache(RedisCache):
    """The cache in use, on one server. Counters are made with an end, by `add`, before they are added to.

    django-ratelimit counts by `add`, and by `incr` where there is something already: of its counters, `add` counts, and
    `incr` says what came of it. Each thread has a cache of its own.
    """

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        """Take what Django's takes."""
        super().__init__(server, params)
        self._class = FrugalClient
        self._counted: dict[str, int] = {}

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        """Keep a value where there is none; tell whether there was none."""
        if not key.startswith(COUNTERS) or value != 1:
            return super().add(key, value, timeout, version)
        name = self.make_and_validate_key(key, version=version)
        client: FrugalClient = self._cache  # type: ignore[assignment]
        count = client.count(name, self.get_backend_timeout(timeout))
        self._counted = {name: count}
        return count == 1

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a counter. Raises ValueError when it has run out."""
        count = self._counted.pop(self.make_and_validate_key(key, version=version), None)
        return count if count is not None and delta == 1 else super().incr(key, delta, version)
