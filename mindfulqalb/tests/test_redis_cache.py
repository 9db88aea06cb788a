"""The cache says less to Redis, and means the same."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from redis.connection import AbstractConnection


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What goes to Redis from now on, one item per time that something is sent."""
    said: list[bytes] = []
    send: Any = AbstractConnection.send_packed_command

    def noting(self: Any, command: Any, check_health: bool = True) -> None:
        said.append(command if isinstance(command, bytes) else b"".join(command))
        send(self, command, check_health)

    cache.get("connected")
    monkeypatch.setattr(AbstractConnection, "send_packed_command", noting)
    return said


def test_counter_is_added_to_in_one_round_trip(sent: list[bytes]) -> None:
    cache.add("counter", 1, 60)
    counts = [cache.incr("counter"), cache.incr("counter", 5), cache.decr("counter", 2)]

    assert (counts, len(sent), cache.get("counter")) == ([2, 7, 5], 4, 5)


def test_counter_keeps_its_end() -> None:
    cache.add("counter", 1, 60)
    cache.incr("counter")

    client = cache._cache.get_client()  # type: ignore[attr-defined]
    assert 0 < client.ttl(cache.make_key("counter")) <= 60


def test_counter_that_has_run_out_is_not_brought_back_without_an_end() -> None:
    with pytest.raises(ValueError, match="counter"):
        cache.incr("counter")

    assert (cache.get("counter"), cache.add("counter", 1, 60)) == (None, True)


def test_client_is_made_once() -> None:
    client = cache._cache  # type: ignore[attr-defined]

    assert client.get_client("a") is client.get_client("b")
    assert client.get_client("a", write=True) is client.get_client("b", write=True)


def test_rate_limits_count_in_one_round_trip_each(sent: list[bytes]) -> None:
    """As get_usage does: add, and incr where something was there."""
    counts = [1 if cache.add("rl:x", 1, 60) else cache.incr("rl:x") for _ in range(3)]
    client = cache._cache.get_client()  # type: ignore[attr-defined]

    assert (counts, len(sent)) == ([1, 2, 3], 3)
    assert 0 < client.ttl(cache.make_key("rl:x")) <= 60


def test_rate_limits_of_two_callers_are_not_mixed_up() -> None:
    for _ in range(2):
        cache.add("rl:x", 1, 60)
    cache.add("rl:y", 1, 60)

    # What was counted for x was not asked for, and is not given to somebody else.
    assert (cache.get("rl:x"), cache.get("rl:y"), cache.incr("rl:y", 5)) == (2, 1, 6)
