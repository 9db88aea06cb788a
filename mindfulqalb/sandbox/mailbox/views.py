"""The mailbox in the browser."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header

from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.mailbox import messages
from mindfulqalb.sandbox.pages.frame import local_time, show

if TYPE_CHECKING:
    from mindfulqalb.sandbox.store import Record

# A mail may carry styles of its own, and nothing that runs.
LETTER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data: http: https:; base-uri 'none'"


def mailbox_page(request: HttpRequest) -> HttpResponse:
    """List the mails, newest first."""
    mails = [{**mail, "time": local_time(mail["receivedAt"])} for mail in messages.messages()[::-1]]
    return show(request, "mailbox.html", {"mails": mails, "smtp_port": configuration().smtp_port})


def mail_page(request: HttpRequest, number: str) -> HttpResponse:
    """Show one mail."""
    return show(request, "mail.html", {"mail": _found(number)})


def mail_html(request: HttpRequest, number: str) -> HttpResponse:
    """Serve a mail's HTML for the frame that shows it; its links open in a window of their own."""
    content = f'<!doctype html><meta charset="utf-8"><base target="_blank">{_found(number)["html"]}'
    response = HttpResponse(content)
    response.headers["Content-Security-Policy"] = (
        f"{LETTER_POLICY}; sandbox allow-popups allow-popups-to-escape-sandbox"
    )
    return response


def mail_attachment(request: HttpRequest, number: str, index: int) -> HttpResponse:
    """Serve an attachment as a download."""
    parts = _found(number)["attachments"]
    if index >= len(parts):
        raise Http404
    part = parts[index]
    response = HttpResponse(base64.b64decode(part["content"]), content_type=part["contentType"])
    response.headers["Content-Disposition"] = content_disposition_header(True, part["filename"]) or "attachment"
    return response


def _found(number: str) -> Record:
    found = messages.message(number)
    if found is None:
        raise Http404
    return found
