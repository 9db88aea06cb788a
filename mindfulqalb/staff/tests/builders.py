"""Staff for the tests of any app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Group
from django.utils import timezone

from mindfulqalb.staff.models import Authenticator, StaffMember
from mindfulqalb.staff.roles import load_roles

if TYPE_CHECKING:
    from django.test import Client

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "correct-horse-battery"


def make_superuser(**overrides: str) -> StaffMember:
    """Somebody who may do everything that Django can allow."""
    values = {"username": "asha", "first_name": "Asha"} | overrides
    return StaffMember.objects.create_superuser(**values)


def make_member(*roles: str, **overrides: Any) -> StaffMember:
    """Somebody who works here, in these roles."""
    values: dict[str, Any] = {
        "username": "meera",
        "first_name": "Meera",
        "email": "meera@example.com",
        "is_staff": True,
    }
    member = StaffMember.objects.create_user(**values | overrides)
    if roles:
        load_roles()
        member.groups.set(Group.objects.filter(name__in=roles))
    return member


def make_authenticator(member: StaffMember) -> Authenticator:
    """An app that has been confirmed and has not been used since."""
    now = timezone.now()
    return Authenticator.objects.create(member=member, secret=SECRET, created_at=now, confirmed_at=now)


def log_in(client: Client) -> StaffMember:
    """Log a superuser in."""
    member = make_superuser()
    client.force_login(member)
    return member
