"""What was shown, to whom and when."""

from __future__ import annotations

from django.apps import AppConfig


class ConsentConfig(AppConfig):
    """What was shown, to whom and when."""

    name = "consent"
