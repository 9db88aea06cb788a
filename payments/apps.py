"""Orders, captures and what may be spent; has never heard of a booking."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class PaymentsConfig(AppConfig):
    """Orders, captures and what may be spent; has never heard of a booking."""

    name = "payments"

    def ready(self) -> None:
        """Import every app's `timeline` module, so that each can tell what it knows about a payment."""
        autodiscover_modules("timeline")
