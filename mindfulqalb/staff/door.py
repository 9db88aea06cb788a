"""Who stands inside the admin, who half-way, who outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from django.core.exceptions import PermissionDenied

from mindfulqalb.staff.models import Authenticator, StaffMember
from mindfulqalb.staff.second_factor import needs_second_factor

if TYPE_CHECKING:
    from django.http import HttpRequest

SESSION_KEY = "second_factor"
VERDICT = "_is_inside_back_office"


def is_staff(user: object) -> TypeGuard[StaffMember]:
    """Whether somebody has logged in by password and works here."""
    return isinstance(user, StaffMember) and user.is_active and user.is_staff


def member_of(request: HttpRequest) -> StaffMember:
    """Name who asks, on a page that lets nobody else in."""
    if not isinstance(request.user, StaffMember):
        raise PermissionDenied
    return request.user


def is_inside(request: HttpRequest) -> bool:
    """Whether the session belongs to staff, second factor and all; looked up once for a request."""
    if not hasattr(request, VERDICT):
        setattr(request, VERDICT, _is_inside(request))
    return bool(getattr(request, VERDICT))


def _is_inside(request: HttpRequest) -> bool:
    if not is_staff(request.user):
        return False
    shown = request.session.get(SESSION_KEY)
    if shown and Authenticator.objects.filter(id=shown, member=request.user, confirmed_at__isnull=False).exists():
        return True
    return not needs_second_factor(request.user)


def lets_in_half_way(request: HttpRequest) -> bool:
    """Whether the password was right, and the second factor is still to be shown."""
    return is_staff(request.user) and not is_inside(request)


def open_door(request: HttpRequest, authenticator: Authenticator) -> None:
    """Note in the session that the second factor was shown; a new session key, as for every rise in trust."""
    request.session.cycle_key()
    request.session[SESSION_KEY] = str(authenticator.id)
    if hasattr(request, VERDICT):
        delattr(request, VERDICT)
