"""The audit trail."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from mindfulqalb.audit.checks import check_signing_keys


class AuditConfig(AppConfig):
    """Who did what to which object; append-only."""

    name = "mindfulqalb.audit"
    label = "audit"

    def ready(self) -> None:
        """Register the system checks."""
        register(check_signing_keys, Tags.security)
