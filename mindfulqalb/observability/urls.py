"""Where the monitors look."""

from __future__ import annotations

from django.urls import path

from mindfulqalb.observability.health import HealthView, livez, readyz
from mindfulqalb.observability.metrics import metrics_page

urlpatterns = [
    path("livez", livez, name="livez"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics_page, name="metrics"),
    path("api/health", HealthView.as_view(), name="health"),
]
