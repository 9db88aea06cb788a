"""What persons ask of us about their own data."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SubjectRequestsConfig(AppConfig):
    """The register of requests, and everything that is held on a person."""

    name = "mindfulqalb.subject_requests"
    label = "subject_requests"
    verbose_name = "Subject requests"

    def ready(self) -> None:
        """Let every app say, in a module named `subject_requests`, how it answers."""
        autodiscover_modules("subject_requests")
