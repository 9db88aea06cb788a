"""The people who work here, and their admin."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.module_loading import autodiscover_modules


class StaffConfig(AppConfig):
    """Staff accounts."""

    name = "mindfulqalb.staff"
    label = "staff"

    def ready(self) -> None:
        """Import every app's `panels` and `words`, so that the first page knows them and the admin speaks by them."""
        autodiscover_modules("panels", "words")


class StaffAdminConfig(AdminConfig):
    """Django's admin on our own site."""

    default_site = "mindfulqalb.staff.site.PracticeAdminSite"
