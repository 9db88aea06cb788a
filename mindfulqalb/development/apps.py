"""Django's entry for the development commands."""

from __future__ import annotations

from django.apps import AppConfig


class DevelopmentConfig(AppConfig):
    """Brings `manage.py dev`; installed only when ENVIRONMENT=development."""

    name = "mindfulqalb.development"
    label = "development"
