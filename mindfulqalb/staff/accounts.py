"""Make staff accounts."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction

from mindfulqalb.audit.services import record
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

PASSWORD_BYTES = 15


def create_staff(
    *, username: str, email: str, roles: Iterable[str], full_name: str, actor: str, now: datetime
) -> tuple[StaffMember, str]:
    """Make an account with the named roles; return it with its first password, which nobody can be told again.

    They choose one of their own before they see anything.

    Raises ValidationError, by field, for an unknown role, a name that is taken or an email that is none.
    """
    wanted = list(roles)
    unknown = sorted(set(wanted) - set(ROLES))
    if unknown or not wanted:
        known = ", ".join(ROLES)
        raise ValidationError({"role": f"Unknown role: {', '.join(unknown) or '(none)'}. There are: {known}."})
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    first_name, _, last_name = full_name.partition(" ")
    member = StaffMember(username=username, email=email, first_name=first_name, last_name=last_name, is_staff=True)
    member.set_password(password)
    member.must_change_password = True  # it stands on a screen, or in a message
    member.full_clean()
    with transaction.atomic():
        member.save()
        member.groups.set(Group.objects.filter(name__in=wanted))
        record(
            action="staff.created", actor=actor, target=f"staff:{member.id}", now=now, details={"roles": sorted(wanted)}
        )
    return member, password
