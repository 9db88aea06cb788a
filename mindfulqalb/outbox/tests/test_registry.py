from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mindfulqalb.outbox.registry import Delivery, RetryLater, UnknownTopic, handler_for, handles, mourners, on_dead

if TYPE_CHECKING:
    from mindfulqalb.outbox.tests.builders import Handle


def ignore(delivery: Delivery) -> None:
    """Do nothing."""


def test_handles_registers_and_returns_the_function(handle: Handle) -> None:
    handle(ignore, "test.other")  # so that the topic is forgotten after this test

    with pytest.raises(ValueError, match=r"test\.other"):
        handles("test.other")(ignore)

    assert handler_for("test.other") is ignore


def test_handles_refuses_a_second_handler_and_keeps_the_first(handle: Handle) -> None:
    handle(ignore)

    with pytest.raises(ValueError, match=r"the topic 'test\.work' already belongs to mindfulqalb\.outbox\.tests"):
        handles("test.work")(lambda _: None)

    assert handler_for("test.work") is ignore


def test_on_dead_refuses_a_second_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mourners, "test.work", ignore)

    with pytest.raises(ValueError, match=r"test\.work"):
        on_dead("test.work")(lambda _: None)

    assert mourners["test.work"] is ignore


def test_handler_for_an_unknown_topic_raises() -> None:
    with pytest.raises(UnknownTopic, match=r"test\.nobody"):
        handler_for("test.nobody")


@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=-1)])
def test_retry_later_refuses_a_pause_of_nothing(after: timedelta) -> None:
    with pytest.raises(ValueError, match="after"):
        RetryLater(after)
