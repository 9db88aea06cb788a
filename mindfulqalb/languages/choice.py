"""Which language somebody is spoken to in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation

if TYPE_CHECKING:
    from django.http import HttpRequest

QUERY = "lang"


def supported_language(code: str | None) -> str | None:
    """Find the language of ours that a code means: `hi-IN` is `hi`; None for what we do not speak."""
    try:
        return translation.get_supported_language_variant(code or "")
    except LookupError:
        return None


def chosen_language(request: HttpRequest) -> str | None:
    """The language that this visitor has chosen by the switch, now or before."""
    return supported_language(request.GET.get(QUERY)) or supported_language(
        request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    )


def spoken_language(locale: str) -> str:
    """The language that a caller names, else the one in which they are being answered."""
    return supported_language(locale) or supported_language(translation.get_language()) or settings.LANGUAGE_CODE


def speak(request: HttpRequest, locale: str) -> None:
    """Go on in the language of a booking, unless this visitor has chosen another one."""
    translation.activate(chosen_language(request) or supported_language(locale) or settings.LANGUAGE_CODE)
