"""The outbox: the only way out of this house."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class OutboxConfig(AppConfig):
    """Intents written with the state they follow from, and carried out afterwards."""

    name = "mindfulqalb.outbox"
    label = "outbox"

    def ready(self) -> None:
        """Import every app's `handlers` module, so that each topic is known before the first message."""
        autodiscover_modules("handlers")
