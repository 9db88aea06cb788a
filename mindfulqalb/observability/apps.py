"""Logs, metrics, error reports and health."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ObservabilityConfig(AppConfig):
    """What is seen of this server from outside."""

    name = "mindfulqalb.observability"
    label = "observability"

    def ready(self) -> None:
        """Import every app's `metrics` module, so that its gauges are known before the first look."""
        autodiscover_modules("metrics")
