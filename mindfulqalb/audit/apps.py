"""The audit trail."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Who did what to which object; append-only."""

    name = "mindfulqalb.audit"
    label = "audit"
