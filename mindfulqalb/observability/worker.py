"""A worker's own page of metrics: it serves no others."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from django.conf import settings
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector


class MetricsStep(bootsteps.StartStopStep):
    """Serves what this machine's worker processes count on WORKER_METRICS_PORT, if there is one."""

    def start(self, parent: Any) -> None:
        """Begin to serve, in a thread that ends with the worker."""
        if settings.WORKER_METRICS_PORT:
            registry = CollectorRegistry()
            MultiProcessCollector(registry, path=settings.METRICS_DIR)  # type: ignore[no-untyped-call]
            start_http_server(settings.WORKER_METRICS_PORT, registry=registry)
