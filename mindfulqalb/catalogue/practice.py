"""Who sells: what every page and every mail says about the practice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest


def practice_details() -> dict[str, Any]:
    """Name, contact, and the helplines: a client may be in distress, whatever page they are on."""
    return {
        "practice_name": settings.PRACTICE_NAME,
        "contact_email": settings.PRACTICE_EMAIL,
        "helplines": settings.HELPLINES,
    }


def practice(request: HttpRequest) -> dict[str, Any]:
    """Give the details to every template (a context processor)."""
    return practice_details()
