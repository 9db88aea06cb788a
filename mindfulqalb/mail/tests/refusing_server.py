"""A mail server that says no where it is told to; the sandbox's says it at the end of a mail only."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GREETING = "greeting"


class RefusingHandler(socketserver.StreamRequestHandler):
    """One conversation: yes to everything but the one command."""

    def handle(self) -> None:
        """Answer line by line until the client hangs up."""
        refusals: dict[str, str] = self.server.refusals  # type: ignore[attr-defined]
        self._say(refusals.get(GREETING, "220 hello"))
        while line := self.rfile.readline():
            command = line.split(b":")[0].split()[0].decode().upper()
            self._say(refusals.get(command, "221 bye" if command == "QUIT" else "250 yes"))

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())


@contextmanager
def refusing_server(command: str, answer: str) -> Iterator[int]:
    """Refuse one command (`MAIL`, `RCPT` or GREETING) with `answer`; gives the port."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), RefusingHandler) as server:
        server.refusals = {command: answer}  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
