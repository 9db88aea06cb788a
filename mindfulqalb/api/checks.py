"""System checks: settings that let the server start in production, and are mistakes there (`check --deploy`)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks

OPEN_HOSTS = checks.Error(
    "ALLOWED_HOSTS lets callers choose our name.", hint="Name every host in full.", id="mindfulqalb.E001"
)
PLAIN_ORIGINS = checks.Error(
    "CORS_ALLOWED_ORIGINS and CHECKOUT_RETURN_ORIGINS must be https.",
    hint="Under http, anybody in the client's network can put up a page of their own.",
    id="mindfulqalb.E002",
)
PLAIN_SITE = checks.Error("SITE_URL must be https.", hint="Links in our mails open bookings.", id="mindfulqalb.E003")
NO_PROXY = checks.Warning(
    "TRUSTED_PROXY_COUNT is 0: all clients share the proxy's address, and one uses up the limits of all.",
    hint="HTTPS ends at a proxy in front of us: count it.",
    id="mindfulqalb.W004",
)


def check_deployment(**_: Any) -> list[checks.CheckMessage]:
    """Report them."""
    origins = [*settings.CORS_ALLOWED_ORIGINS, *settings.CHECKOUT_RETURN_ORIGINS]
    mistakes = [
        (OPEN_HOSTS, any(host.startswith(("*", ".")) for host in settings.ALLOWED_HOSTS)),
        (PLAIN_ORIGINS, not all(origin.startswith("https://") for origin in origins)),
        (PLAIN_SITE, not settings.SITE_URL.startswith("https://")),
        (NO_PROXY, not settings.TRUSTED_PROXY_COUNT),
    ]
    return [message for message, is_made in mistakes if is_made]
