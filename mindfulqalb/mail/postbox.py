"""A mailbox that other mail servers report to, read by IMAP."""

from __future__ import annotations

import imaplib
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT = 20
PORT, TLS_PORT = 143, 993
REPORTS = '(UNSEEN HEADER Content-Type "multipart/report")'


def unread_reports(url: str) -> Iterator[bytes]:
    """Give each unread report in `imaps://user:password@host/INBOX`, and mark it read once it has been dealt with.

    People may share the mailbox: nothing but reports is touched. One whose reader fails stays unread for the next time.
    """
    box = _connected(url)
    try:
        _, found = box.uid("SEARCH", REPORTS)
        for uid in (found[0] or b"").decode().split():
            _, answer = box.uid("FETCH", uid, "(BODY.PEEK[])")
            yield from (part[1] for part in answer if isinstance(part, tuple))
            box.uid("STORE", uid, "+FLAGS", r"(\Seen)")
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def _connected(url: str) -> imaplib.IMAP4:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "imaps":
        box: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, parts.port or TLS_PORT, timeout=TIMEOUT)
    else:
        box = imaplib.IMAP4(host, parts.port or PORT, timeout=TIMEOUT)
    box.login(unquote(parts.username or ""), unquote(parts.password or ""))
    box.select(unquote(parts.path.strip("/")) or "INBOX")
    return box
