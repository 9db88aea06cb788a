"""Give the roles their permissions."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from mindfulqalb.staff.roles import ROLES, load_roles


class Command(BaseCommand):
    """`manage.py load_roles`: run it after `migrate`; safe to repeat."""

    help = "Give each role's group exactly the permissions of mindfulqalb/staff/roles.py."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say which."""
        load_roles()
        self.stdout.write(f"Roles: {', '.join(ROLES)}.")
