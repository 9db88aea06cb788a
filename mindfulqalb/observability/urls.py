"""Where the monitors look."""

from __future__ import annotations

from django.urls import path

from mindfulqalb.observability.health import HealthView, livez, readyz

urlpatterns = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("api/health", HealthView.as_view(), name="health"),
]
