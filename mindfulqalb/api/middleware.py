"""No request to the API may be larger than its use."""

from __future__ import annotations

from io import BytesIO
from typing import IO, TYPE_CHECKING

from django.conf import settings

from mindfulqalb.api.errors import PayloadTooLarge, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase


class BodyLimitMiddleware:
    """Refuse with 413, before anything is parsed, a body to /api/ that is larger than its limit.

    The limits are API_BODY_LIMIT and, under /api/webhooks/, WEBHOOK_BODY_LIMIT, in bytes. A body of undeclared length,
    which Django would take for none, is read up to the limit and then treated like any other.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let through what is small enough."""
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        limit = (
            settings.WEBHOOK_BODY_LIMIT if request.path_info.startswith("/api/webhooks/") else settings.API_BODY_LIMIT
        )
        if _length(request, limit) > limit:
            return json_answer(PayloadTooLarge(f"This request is too large: at most {limit // 1024} KiB are taken."))
        return self.get_response(request)


def _length(request: HttpRequest, limit: int) -> int:
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isascii() and declared.isdecimal():
        # Python refuses to read a number of thousands of digits; its first eighteen will do.
        return int(declared[:18])
    # Without this flag, reading a body of unknown length may never end; PEP 3333 says that there is none then.
    return _adopt_body(request, limit) if request.META.get("wsgi.input_terminated") else 0


def _adopt_body(request: HttpRequest, limit: int) -> int:
    body = _read(request.META["wsgi.input"], limit + 1)
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)  # noqa: SLF001  (Django offers no other way)
    return len(body)


def _read(stream: IO[bytes], size: int) -> bytes:
    body = b""
    while len(body) < size and (chunk := stream.read(size - len(body))):
        body += chunk
    return body
