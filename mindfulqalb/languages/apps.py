"""In which language people are spoken to, and how it writes dates, times and amounts."""

from __future__ import annotations

from django.apps import AppConfig


class LanguagesConfig(AppConfig):
    """In which language people are spoken to, and how it writes dates, times and amounts."""

    name = "mindfulqalb.languages"
