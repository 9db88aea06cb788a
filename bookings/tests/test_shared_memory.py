"""What processes remember together, and what becomes of it without Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bookings.shared_memory import SharedMemory

if TYPE_CHECKING:
    from pytest_django import Settings


@pytest.fixture
def _dead_redis(settings: Settings) -> None:
    settings.CACHES = {"default": dict(settings.CACHES["default"], LOCATION="redis://127.0.0.1:1/0")}


def test_memory_is_shared() -> None:
    here, there = SharedMemory(), SharedMemory()

    here.keep("a", [1, 2], seconds=60)
    here.count("b", 2, seconds=60)
    there.count("b", 3, seconds=60)

    assert there.recall(["a", "b", "c"]) == {"a": [1, 2], "b": 5}
    assert (here.is_alone, there.is_alone) == (False, False)


def test_memory_keeps_the_first_word_until_it_is_forgotten() -> None:
    memory = SharedMemory()

    first, second = memory.keep_first("a", 1, seconds=60), memory.keep_first("a", 2, seconds=60)
    memory.forget("a")

    assert (first, second, memory.keep_first("a", 3, seconds=60)) == (True, False, True)
    assert memory.recall(["a"]) == {"a": 3}


@pytest.mark.usefixtures("_dead_redis")
def test_memory_without_redis_is_the_process_own() -> None:
    here, there = SharedMemory(), SharedMemory()

    here.keep_all({"a": 1, "b": 2}, seconds=60)
    here.count("a", 1, seconds=60)

    assert here.recall(["a", "b"]) == {"a": 2, "b": 2}
    assert (there.recall(["a"]), here.is_alone) == ({}, True)
    assert [here.keep_first("c", number, seconds=60) for number in (1, 2)] == [True, False]


def test_memory_returns_to_redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bookings.shared_memory.ALONE_SECONDS", 0)
    memory, alive = SharedMemory(), settings.CACHES
    settings.CACHES = {"default": dict(alive["default"], LOCATION="redis://127.0.0.1:1/0")}
    memory.keep("a", 1, seconds=60)

    settings.CACHES = alive
    memory.keep("a", 2, seconds=60)

    assert SharedMemory().recall(["a"]) == {"a": 2}
