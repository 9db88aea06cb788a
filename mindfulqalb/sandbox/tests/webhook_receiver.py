"""Stands where the product's webhook addresses are, and keeps what arrives."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

WAIT_SECONDS = 10


@dataclass(frozen=True)
class Delivery:
    """One webhook as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    arrived_at: float


class WebhookReceiver:
    """Answers 200, or the statuses that it was given first."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.statuses: list[int] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Its origin."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def clear(self) -> None:
        """Forget what arrived."""
        self.deliveries.clear()
        self.statuses.clear()

    def await_deliveries(self, number: int) -> list[Delivery]:
        """Wait until at least so many have arrived and return all."""
        end = time.monotonic() + WAIT_SECONDS
        while len(self.deliveries) < number and time.monotonic() < end:
            time.sleep(0.02)
        return list(self.deliveries)

    def _handler(receiver: WebhookReceiver) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.deliveries.append(Delivery(self.path, dict(self.headers), body, time.time()))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
