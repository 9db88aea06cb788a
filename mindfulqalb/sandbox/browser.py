"""What browsers are told about every page, and how one finds the sandbox from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.sandbox.configuration import configuration

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " frame-src 'self'"
)


def security_headers(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Give every page a policy without inline script or style, so that nothing here relies on them."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def public_url(request: HttpRequest) -> str:
    """Return the origin under which browsers reach the sandbox."""
    return configuration().public_url or f"{request.scheme}://{request.get_host()}"
