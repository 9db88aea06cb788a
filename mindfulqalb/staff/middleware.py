"""What the admin needs of a browser, and the clients' pages must not have or do not need."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from mindfulqalb.practice_clock import practice_zone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase


RENEWED_AT = "renewed_at"


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


class BackOfficeSessionMiddleware:
    """Begin a session's idle time anew with a click, by one write in SECONDS_BETWEEN_RENEWALS at most."""

    SECONDS_BETWEEN_RENEWALS = 60

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Renew the session of somebody who is logged in."""
        response = self.get_response(request)
        # After a call of the API there is no user: it does not go by cookies.
        is_authenticated = getattr(request.user, "is_authenticated", False)
        is_logged_in = settings.SESSION_COOKIE_NAME in request.COOKIES and is_authenticated
        if is_logged_in and time.time() - request.session.get(RENEWED_AT, 0) >= self.SECONDS_BETWEEN_RENEWALS:
            request.session[RENEWED_AT] = int(time.time())
        return response


class BackOfficeClockMiddleware:
    """Tell the time in the admin by the practice's clock, filters such as "today" included."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Wrap the rest of the stack."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Set the clock for this answer, and only for it: a thread serves many."""
        if not request.path_info.startswith("/admin/"):
            return self.get_response(request)
        with timezone.override(practice_zone()):
            return self.get_response(request)
