"""Mails as they are kept: taken apart once, when they arrive."""

from __future__ import annotations

import base64
import email
import email.policy
from email.message import EmailMessage
from typing import Any

from mindfulqalb.sandbox.clock import iso, now
from mindfulqalb.sandbox.store import Record, store

KIND = "mail"


def keep_message(sender: str, recipients: list[str], raw: bytes) -> None:
    """Take a mail apart and keep it."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy makes
    with store().transaction():
        number = store().count("mail")
        store().count("calls:smtp.mail.send")
        store().put(KIND, str(number), {"id": number, **_taken_apart(message, sender, recipients)})


def _taken_apart(message: EmailMessage, sender: str, recipients: list[str]) -> Record:
    return {
        "receivedAt": iso(now()),
        "from": str(message.get("From", sender)),
        "sender": sender,
        "to": recipients,
        "subject": str(message.get("Subject", "")),
        "messageId": str(message.get("Message-ID", "")),
        "headers": [[name, str(value)] for name, value in message.items()],
        "text": _body(message, "plain"),
        "html": _body(message, "html"),
        "attachments": [_attachment(part) for part in message.iter_attachments()],
    }


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return "" if part is None else str(part.get_content())


def _attachment(part: Any) -> Record:
    content = part.get_payload(decode=True) or b""
    is_text = part.get_content_maintype() == "text"
    charset = part.get_content_charset() or "utf-8"
    return {
        "filename": part.get_filename() or "unnamed",
        "contentType": part.get_content_type(),
        "size": len(content),
        "text": content.decode(charset, "replace") if is_text else None,
        "content": base64.b64encode(content).decode(),
    }


def messages() -> list[Record]:
    """Return every mail in the order of arrival, without the attachments' bytes."""
    return [_without_bytes(message) for message in store().all(KIND)]


def _without_bytes(message: Record) -> Record:
    attachments = [{k: v for k, v in part.items() if k != "content"} for part in message["attachments"]]
    return {**message, "attachments": attachments}


def message(number: str) -> Record | None:
    """Return one mail with everything."""
    return store().get(KIND, number)


def empty_mailbox() -> None:
    """Forget every mail."""
    with store().transaction():
        for kept in store().all(KIND):
            store().remove(KIND, str(kept["id"]))
