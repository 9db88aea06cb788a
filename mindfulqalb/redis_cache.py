"""Django's Redis cache in fewer words: every request counts and recalls, and most of what that costs is the asking."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient


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


class FrugalRedisCache(RedisCache):
    """The cache in use, on one server. Counters are made with an end, by `add`, before they are added to."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        """Take what Django's takes."""
        super().__init__(server, params)
        self._class = FrugalClient
