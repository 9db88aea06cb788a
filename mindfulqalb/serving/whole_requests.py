"""Our WSGI application behind an ASGI server: only requests that have come as a whole get a thread.

A WSGI server gives a request to a thread before its body is there, so that as many clients as there are threads, each
sending a byte now and then, stop everything. Rejected: `a2wsgi`, which reads the body in the thread as well and fails
on a query that is not ASCII; asgiref's `WsgiToAsgi`, which works on one request at a time; Django's own ASGI handler,
which starts a thread, and with it a database connection, for each request.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from mindfulqalb.serving.bodies import ClientLeft, await_body
from mindfulqalb.serving.environ import wsgi_environ

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from mindfulqalb.serving.bodies import Receive

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

# An answer up to this size is sent while its thread serves the next: all but exports are smaller.
KEPT_BYTES = 4 * 1024 * 1024


class WholeRequests:
    """Serve a WSGI application with so many threads."""

    def __init__(self, application: Application, *, threads: int) -> None:
        """Start no thread yet."""
        self._application = application
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="web")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; whoever left before it was whole is forgotten."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            try:
                body = await await_body(scope, receive)
            except ClientLeft:
                return
            await self._answer(wsgi_environ(scope, body), send)

    async def _answer(self, environ: dict[str, Any], send: Send) -> None:
        loop = asyncio.get_running_loop()

        def wait_and_send(message: dict[str, Any]) -> None:
            asyncio.run_coroutine_threadsafe(_send(send, message), loop).result()

        answer = _Answer(wait_and_send)
        await loop.run_in_executor(self._pool, answer.make, self._application, environ)
        for message in answer.messages(ends=True):
            await send(message)


async def _send(send: Send, message: dict[str, Any]) -> None:
    await send(message)


async def _live(receive: Receive, send: Send) -> None:
    """Say yes to the server's beginning and end."""
    for _ in range(2):
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


class _Answer:
    """What the application answers; kept, but of a large answer sent on by the thread as it comes."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._start: dict[str, Any] | None = None
        self._kept = bytearray()

    def make(self, application: Application, environ: dict[str, Any]) -> None:
        chunks = application(environ, self._begin)
        try:
            for chunk in chunks:
                self._kept += chunk
                if len(self._kept) > KEPT_BYTES:
                    for message in self.messages(ends=False):
                        self._send(message)
        finally:
            getattr(chunks, "close", bool)()

    def _begin(self, status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> Callable[[bytes], None]:
        encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._start = {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}
        return self._kept.extend

    def messages(self, *, ends: bool) -> list[dict[str, Any]]:
        """Take what is not sent yet."""
        body = {"type": "http.response.body", "body": bytes(self._kept), "more_body": not ends}
        start, self._start = self._start, None
        self._kept.clear()
        return [body] if start is None else [start, body]
