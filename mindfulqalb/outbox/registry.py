"""Who carries out which topic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True)
class Delivery:
    """One attempt at one message. `attempts` is 1 on the first try."""

    message_id: UUID
    topic: str
    lane: str
    payload: dict[str, Any]
    attempts: int
    now: datetime


Handler = Callable[[Delivery], None]
handlers: dict[str, Handler] = {}
mourners: dict[str, Handler] = {}


class UnknownTopic(LookupError):
    """No handler is registered for the topic."""


class RetryLater(Exception):
    """The handler asks to be called again after a pause that is not counted as a failure."""

    def __init__(self, after: timedelta) -> None:
        """Refuse a pause of nothing: it would be called in a circle."""
        if after <= timedelta(0):
            raise ValueError(f"after must be longer than nothing, not {after}")
        super().__init__(after)
        self.after = after


def handles(topic: str) -> Callable[[Handler], Handler]:
    """Register the function that carries out `topic`.

    It runs outside any transaction, and may run twice for one message: it looks first, then acts.
    """
    return _registers(topic, handlers)


def on_dead(topic: str) -> Callable[[Handler], Handler]:
    """Register the function to call when a message of `topic` dies.

    It runs in the transaction that marks the message dead, so it writes to the database and calls nobody. When it
    fails, its writes are undone, the failure is logged, and the message is dead all the same.
    """
    return _registers(topic, mourners)


def handler_for(topic: str) -> Handler:
    """Find the function that carries out `topic`; raises UnknownTopic."""
    try:
        return handlers[topic]
    except KeyError:
        raise UnknownTopic(f"no handler is registered for the topic {topic!r}") from None


def _registers(topic: str, registered: dict[str, Handler]) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        if topic in registered:
            raise ValueError(f"the topic {topic!r} already belongs to {registered[topic].__module__}")
        registered[topic] = handler
        return handler

    return register
