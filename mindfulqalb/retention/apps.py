"""How long what is kept, and how it goes."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RetentionConfig(AppConfig):
    """The timetable, legal holds, purges and what they leave behind."""

    name = "mindfulqalb.retention"
    label = "retention"

    def ready(self) -> None:
        """Let every app say, in a module named `retention`, what it keeps."""
        autodiscover_modules("retention")
