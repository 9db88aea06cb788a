"""A threaded WSGI server that can also end a connection without an answer."""

from __future__ import annotations

import socketserver
import sys
from socketserver import ThreadingMixIn
from typing import IO, TYPE_CHECKING, Any, cast
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from mindfulqalb.sandbox.answers import DISCONNECT
from mindfulqalb.sandbox.calls import SOCKET

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterable

LONGEST_LINE = 65536


class AnswerHandler(ServerHandler):
    """Writes the application's answer, unless it asked for the connection to be dropped."""

    def finish_response(self) -> None:
        """Send the answer, or nothing at all."""
        environ: dict[str, Any] = self.environ  # type: ignore[attr-defined]
        if environ.get(DISCONNECT):
            self.close()
        else:
            super().finish_response()


class ConnectionHandler(WSGIRequestHandler):
    """One connection: one request, whose socket the application can see."""

    def get_environ(self) -> dict[str, Any]:
        """Add the socket, so that a waiting fault notices a caller who has gone away."""
        return {**super().get_environ(), SOCKET: self.connection}

    def handle(self) -> None:
        """Read one request and answer it."""
        try:
            self.raw_requestline = self.rfile.readline(LONGEST_LINE + 1)
            if len(self.raw_requestline) > LONGEST_LINE:
                self.requestline = self.request_version = self.command = ""
                self.send_error(414)
            elif self.parse_request():
                self._answer()
        except ConnectionError:
            self.close_connection = True  # the caller has gone

    def _answer(self) -> None:
        incoming, outgoing = cast("IO[bytes]", self.rfile), cast("IO[bytes]", self.wfile)
        handler = AnswerHandler(incoming, outgoing, sys.stderr, self.get_environ())
        handler.request_handler = self  # type: ignore[attr-defined]
        application: Callable[..., Iterable[bytes]] | None = self.server.get_app()  # type: ignore[attr-defined]
        if application is not None:
            handler.run(application)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Say nothing: the sandbox keeps a call log of its own."""


class Server(ThreadingMixIn, WSGIServer):
    """A thread per connection; they do not keep the process alive."""

    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind without asking a name server who we are."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Be silent about callers who hang up; complain about everything else."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def make_server(host: str, port: int, application: Callable[..., Iterable[bytes]]) -> Server:
    """Return a server that listens already. Raises OSError when it cannot."""
    server = Server((host, port), ConnectionHandler)
    server.set_app(application)
    return server
