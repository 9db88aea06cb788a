"""The people who work here, and their admin."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StaffConfig(AppConfig):
    """Staff accounts."""

    name = "mindfulqalb.staff"
    label = "staff"


class StaffAdminConfig(AdminConfig):
    """Django's admin on our own site."""

    default_site = "mindfulqalb.staff.site.PracticeAdminSite"
