"""A throw-away app for the tests of encrypted fields."""

from __future__ import annotations

from django.apps import AppConfig


class NotebookConfig(AppConfig):
    """Installed by the tests that need it."""

    name = "mindfulqalb.encryption.tests.notebook"
    label = "notebook"
