"""A mailbox with reports in it, over IMAP: just enough of RFC 3501 to log in, search, fetch and flag."""

from __future__ import annotations

import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Mailbox(socketserver.ThreadingTCPServer):
    """What lies in it, and what was done with it. Reports are numbered from 1."""

    def __init__(self, user: str, password: str, reports: list[bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.login = f'LOGIN {user} "{password}"'
        self.reports = {str(number): report for number, report in enumerate(reports, start=1)}
        self.seen: list[str] = []
        self.searches: list[str] = []
        self.port = self.server_address[1]


class Conversation(socketserver.StreamRequestHandler):
    """One client, line by line."""

    server: Mailbox

    def handle(self) -> None:
        """Answer until the client hangs up."""
        self._say("* OK hello")
        while line := self.rfile.readline().decode().strip():
            tag, _, command = line.partition(" ")
            verdict = self._answer(command)
            self._say(f"{tag} {verdict}")

    def _answer(self, command: str) -> str:
        match command.split(" ", 3):
            case ["CAPABILITY"]:
                self._say("* CAPABILITY IMAP4rev1")
            case ["LOGIN", *_]:
                return "OK in" if command == self.server.login else "NO wrong password"
            case ["UID", "SEARCH", *_]:
                self.server.searches.append(command.removeprefix("UID SEARCH "))
                self._say("* SEARCH " + " ".join(sorted(set(self.server.reports) - set(self.server.seen))))
            case ["UID", "FETCH", uid, _]:
                report = self.server.reports[uid]
                self._say(f"* 1 FETCH (UID {uid} BODY[] {{{len(report)}}}")
                self.wfile.write(report + b")\r\n")
            case ["UID", "STORE", uid, _]:
                self.server.seen.append(uid)
        return "OK done"

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@contextmanager
def imap_server(user: str, password: str, *, reports: list[bytes]) -> Iterator[Mailbox]:
    """Serve the reports to who knows the password."""
    with Mailbox(user, password, reports) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
