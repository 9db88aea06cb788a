"""Logs, metrics, error reports and health."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.module_loading import autodiscover_modules

from mindfulqalb.api.checks import check_deployment


class ObservabilityConfig(AppConfig):
    """What is seen of this server from outside."""

    name = "mindfulqalb.observability"
    label = "observability"

    def ready(self) -> None:
        """Register the checks; import every app's `metrics`, so that its gauges are known before the first look."""
        register(check_deployment, Tags.security, deploy=True)
        autodiscover_modules("metrics")
