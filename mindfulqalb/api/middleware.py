"""No request to the API may be larger than its use, and nobody may ask for anything without end."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from django.shortcuts import render

from mindfulqalb.api.addresses import client_address
from mindfulqalb.api.body_limits import body_limit
from mindfulqalb.api.errors import BodyTooSlow, PayloadTooLarge, TooManyRequests, json_answer
from mindfulqalb.api.throttles import seconds_to_wait
from mindfulqalb.serving.bodies import BodyState
from mindfulqalb.serving.environ import BODY_STATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase
    from django.urls import ResolverMatch


class BodyLimitMiddleware:
    """Refuse with 413, before anything is parsed, a body to /api/ that is larger than its limit.

    The limits are API_BODY_LIMIT and, under /api/webhooks/, WEBHOOK_BODY_LIMIT, in bytes. A body of undeclared length,
    which Django would take for none, is read up to the limit and then treated like any other. What
    `mindfulqalb.serving` did not wait for is refused at any path, with 413 or 408.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let through what is small enough."""
        state, limit = request.META.get(BODY_STATE), body_limit(request.path_info)
        if state == BodyState.LATE:
            return json_answer(BodyTooSlow())
        measured = request.path_info.startswith("/api/") or state == BodyState.LARGE
        if measured and _length(request, limit) > limit:
            return json_answer(PayloadTooLarge(f"This request is too large: at most {limit // 1024} KiB are taken."))
        return self.get_response(request)


class RateLimitMiddleware:
    """Count per address whatever has no throttle of its own: clients' pages, the admin, the API's description.

    So a new page cannot be forgotten. Like an open API call, it goes on while Redis is away; logging in does not, see
    `mindfulqalb.staff.sign_in`.
    """

    # By name of route: monitors look often, and most of all while we are busy; /metrics wants a token.
    EXEMPT = frozenset({"livez", "readyz", "health", "metrics"})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let pass: what is counted depends on the view."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: object, kwargs: object) -> HttpResponse | None:
        """Refuse with 429 whoever asks too often."""
        match = request.resolver_match
        api_view = getattr(view, "cls", None)
        throttled = bool(getattr(api_view, "throttle_classes", None))
        guarded = bool(getattr(api_view, "authentication_classes", None))
        if match is None or match.url_name in self.EXEMPT or (throttled and not guarded):
            return None
        # DRF looks at tokens before its throttles: those who guess them are counted here, and apart.
        identity = f"{'door' if guarded else 'address'}:{client_address(request).network}"
        wait = seconds_to_wait(request, scope=_scope(match, guarded=guarded), identity=identity)
        return _come_later(request, wait) if wait else None


def _scope(match: ResolverMatch, *, guarded: bool) -> str:
    return "staff" if guarded or match.namespace == "admin" else "page"


def _come_later(request: HttpRequest, wait: int) -> HttpResponse:
    refusal = TooManyRequests(retry_after=timedelta(seconds=wait))
    if request.path_info.startswith("/api/"):
        return json_answer(refusal)
    page = render(request, "429.html", {"sentence": refusal.body["error"]}, status=refusal.status)
    for name, value in refusal.headers.items():
        page[name] = value
    return page


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
