"""Measure every answer, and write one line about those of the API and the admin."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.conf import settings

from mindfulqalb.observability.metrics import REQUEST_SECONDS, REQUESTS
from mindfulqalb.observability.traces import bound_request, note_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger("mindfulqalb.access")

# Asked every few seconds by machines: their lines would drown the others.
UNLOGGED = {"livez", "readyz", "metrics", "api/health"}
KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class ObservingMiddleware:
    """Counts and times by route, never by path: a path may hold a client's token."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, then say what it was and how long it took."""
        began = time.monotonic()
        with bound_request(request):
            response = self.get_response(request)
            _observe(request, response, time.monotonic() - began)
        return response

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Note who is logged in to the admin, for all that is logged from here on."""
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            note_user(str(request.user.pk))


def _observe(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    route = request.resolver_match.route if request.resolver_match else "(no route)"
    method = request.method if request.method in KNOWN_METHODS else "(other)"
    REQUESTS.labels(route, method, str(response.status_code)).inc()
    REQUEST_SECONDS.labels(route, method).observe(seconds)
    if route not in UNLOGGED and not route.startswith("static"):
        fields = {"route": route, "method": method, "status": response.status_code, "ms": round(seconds * 1000)}
        logger.info("%s %s %s", method, route or "/", response.status_code, extra={"fields": fields})
