"""Speak the language that a request asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.cache import patch_vary_headers

from mindfulqalb.languages.choice import QUERY, chosen_language, supported_language

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

STAFF_PATHS = ("/admin/", "/api/staff/")


class LanguageMiddleware:
    """Clients: the language of the switch, else their browser's, else English. Staff work in English.

    The choice stays in a cookie that holds nothing else, so that it survives the way to a payment page and back.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Stand before everything that says something."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Activate it for the answer, and only for that: a thread serves many."""
        with translation.override(_language_of(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        if chosen := supported_language(request.GET.get(QUERY)):
            _keep(response, chosen)
        return response


def _language_of(request: HttpRequest) -> str:
    if request.path_info.startswith(STAFF_PATHS):
        return settings.LANGUAGE_CODE
    return chosen_language(request) or translation.get_language_from_request(request)


def _keep(response: HttpResponseBase, language: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
