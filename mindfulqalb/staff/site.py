"""The practice's admin site."""

from __future__ import annotations

from django.conf import settings
from django.contrib.admin import AdminSite


class PracticeAdminSite(AdminSite):
    """Django's own admin under the practice's name."""

    site_header = f"{settings.PRACTICE_NAME} back office"
    site_title = settings.PRACTICE_NAME
    index_title = "What is booked, paid and agreed"
    site_url = "/"
