"""What persons ask of us about their own data."""

from __future__ import annotations

from django.apps import AppConfig


class SubjectRequestsConfig(AppConfig):
    """The register of requests, and everything that is held on a person."""

    name = "mindfulqalb.subject_requests"
    label = "subject_requests"
    verbose_name = "Subject requests"
