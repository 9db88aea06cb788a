"""Staff for the tests of any app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.staff.models import StaffMember

if TYPE_CHECKING:
    from django.test import Client


def make_superuser(**overrides: str) -> StaffMember:
    """Somebody who may do everything that Django can allow."""
    values = {"username": "asha", "first_name": "Asha"} | overrides
    return StaffMember.objects.create_superuser(**values)


def log_in(client: Client) -> StaffMember:
    """Log a superuser in."""
    member = make_superuser()
    client.force_login(member)
    return member
