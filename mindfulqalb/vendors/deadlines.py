"""An end to every call, however slowly its answer trickles in: a read timeout begins anew with each byte."""

from __future__ import annotations

import socket
from contextlib import suppress
from contextvars import ContextVar
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any, Self

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from urllib3.response import HTTPResponse


class Deadline:
    """Cuts the connection of the call that is made within it, so that nobody has to wait for its last byte."""

    def __init__(self, seconds: float) -> None:
        """Count from the entering."""
        self.is_over = False
        self._lock = Lock()
        self._socket: socket.socket | None = None
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Start counting."""
        self._before = _running.set(self)
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the connection, which may serve another call now."""
        self._timer.cancel()
        _running.reset(self._before)
        with self._lock:
            self._socket = None

    def watch(self, connected: socket.socket | None) -> None:
        """Cut this connection when time is over."""
        with self._lock:
            self._socket = connected
        if self.is_over:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self._socket is not None:
                with suppress(OSError):  # closed by the vendor meanwhile
                    # The plain socket's, also under TLS: whoever reads at this moment reads its end.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_running: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def is_over() -> bool:
    """Whether the call that is being made has had its time."""
    deadline = _running.get()
    return deadline is not None and deadline.is_over


def _watch(connection: HTTPConnection) -> None:
    if deadline := _running.get():
        deadline.watch(connection.sock)


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as its parent does
        _watch(self)
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as its parent does
        _watch(self)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS: dict[str, Any] = {"http": _Pool, "https": _SecurePool}
