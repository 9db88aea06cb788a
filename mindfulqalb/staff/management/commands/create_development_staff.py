"""Make the one login of a development machine and print it once."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from mindfulqalb.staff.models import StaffMember


class Command(BaseCommand):
    """`manage.py create_development_staff`: does nothing where anybody can log in already."""

    help = "Create the administrator of a development machine, unless there is one, and print the password once."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create and print, or leave all as it is."""
        if not settings.DEVELOPMENT:
            msg = "This login is for development; in production use createsuperuser."
            raise CommandError(msg)
        if StaffMember.objects.filter(is_superuser=True).exists():
            return
        password = secrets.token_urlsafe(12)
        StaffMember.objects.create_superuser("admin", password=password)
        self.stdout.write(f"Admin login, shown this once: user admin, password {password}")
