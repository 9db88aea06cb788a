"""How large a body may be."""

from __future__ import annotations

from django.conf import settings


def body_limit(path: str) -> int:
    """Return the largest body in bytes that is taken at a path: of webhooks, of the API, of forms on pages."""
    if path.startswith("/api/webhooks/"):
        return int(settings.WEBHOOK_BODY_LIMIT)
    return int(settings.API_BODY_LIMIT if path.startswith("/api/") else settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
