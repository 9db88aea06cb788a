"""The mail server: takes every mail and keeps it."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from mindfulqalb.sandbox import faults
from mindfulqalb.sandbox.mailbox.messages import keep_message

if TYPE_CHECKING:
    from mindfulqalb.sandbox.store import Record

CALL = "mail.send"
LONGEST_MESSAGE = 30 * 1024 * 1024
DEFAULT_REFUSAL = "The sandbox was told to refuse"


class MailHandler:
    """What aiosmtpd calls when a mail has arrived."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail and say so, with whatever trouble is switched on."""
        found = faults.claim("smtp", CALL)
        refusal = await _before(server, found)
        if refusal is not None:
            return refusal
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else content
        keep_message(envelope.mail_from or "", list(envelope.rcpt_tos), raw)
        return await _after(server, found)


async def _before(server: SMTP, found: list[Record]) -> str | None:
    for fault in found:
        match fault["kind"]:
            case "delay" | "hang" if not fault["done"]:
                await asyncio.sleep(fault["seconds"])
                if fault["kind"] == "hang":
                    return _disconnect(server)
            case "refuse":
                return _disconnect(server)
            case "status":
                return f"{int(fault['status'])} {fault['message'] or DEFAULT_REFUSAL}"
    return None


async def _after(server: SMTP, found: list[Record]) -> str:
    for fault in found:
        if fault["kind"] in {"delay", "hang"} and fault["done"]:
            await asyncio.sleep(fault["seconds"])
        if fault["kind"] == "drop" or (fault["kind"] == "hang" and fault["done"]):
            return _disconnect(server)
    return "250 OK: kept"


def _disconnect(server: SMTP) -> str:
    transport: Any = server.transport
    transport.abort()
    return "421 closed"


class MailServer:
    """The mail server in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mail", daemon=True)

    def start(self) -> None:
        """Listen. Raises OSError when the port cannot be had."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(self._address)
        except OSError:
            listener.close()
            self._loop.close()  # left open, Python complains of it at its end
            raise
        listener.listen(100)
        self._loop.run_until_complete(self._loop.create_server(self._make_protocol, sock=listener))
        self._thread.start()

    def _make_protocol(self) -> SMTP:
        return SMTP(
            MailHandler(),
            hostname="sandbox",
            ident="MindfulQALB sandbox",
            loop=self._loop,
            enable_SMTPUTF8=True,
            data_size_limit=LONGEST_MESSAGE,
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def stop(self) -> None:
        """Stop listening."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=2)
