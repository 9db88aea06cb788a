"""What the admin needs of a browser that the clients' pages must not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase


class BackOfficeReferrerMiddleware:
    """Let the admin's forms say where they come from, to the admin alone.

    Under `no-referrer`, which the clients' secret addresses need, browsers post forms with `Origin: null`, and Django
    refuses them: nobody could log in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set the policy before SecurityMiddleware sets the common one."""
        response = self.get_response(request)
        if request.path_info.startswith("/admin/"):
            response.headers.setdefault("Referrer-Policy", "same-origin")
        return response
