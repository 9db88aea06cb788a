"""One id per request, in the log, in every error and in the headers: a client's report leads to its log lines."""

from __future__ import annotations

import re
import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,64}")

_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the request that this code runs for, or "" outside of any."""
    return _request_id.get()


@contextmanager
def bound_request_id(value: str) -> Iterator[None]:
    """Make `value` the current request id within the block."""
    token = _request_id.set(value)
    try:
        yield
    finally:
        _request_id.reset(token)


class RequestIdMiddleware:
    """Take a well-formed inbound `X-Request-ID`, else make one; send it back. Must be the outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with the id bound for as long as the answer is being made."""
        inbound = request.headers.get(HEADER, "")
        request_id = inbound if WELL_FORMED.fullmatch(inbound) else uuid.uuid4().hex
        # Django logs refused requests after all middleware has ended: the log formatter finds the id here then.
        request.META["HTTP_X_REQUEST_ID"] = request_id
        with bound_request_id(request_id):
            response = self.get_response(request)
        response[HEADER] = request_id
        return response
