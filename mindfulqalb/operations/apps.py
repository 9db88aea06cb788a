"""What whoever runs the server does by hand or by cron."""

from __future__ import annotations

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """Backup, restore, and the beat's work without a beat."""

    name = "mindfulqalb.operations"
    label = "operations"
