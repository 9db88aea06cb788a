"""Who calls the staff API, and whether they may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission

from mindfulqalb.api.tokens import bearer_token
from mindfulqalb.observability.traces import note_user
from mindfulqalb.staff.tokens import member_of_access_token

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from mindfulqalb.staff.models import StaffMember


class StaffTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`, and nothing else: no cookie that another site could borrow."""

    def authenticate(self, request: Request) -> tuple[StaffMember, str]:
        """Name the person. Raises Unauthorized."""
        token = bearer_token(request)
        member = member_of_access_token(token, now=timezone.now())
        note_user(str(member.id))
        return member, token

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme in a 401."""
        return "Bearer"


class HasStaffPermission(BasePermission):
    """Lets those in whose role has the view's `required_permission` (app_label.codename)."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask the role."""
        return bool(request.user and request.user.has_perm(view.required_permission))  # type: ignore[attr-defined]


class StaffTokenScheme(OpenApiAuthenticationExtension):
    """How the API's description names it."""

    target_class = "mindfulqalb.staff.authentication.StaffTokenAuthentication"
    name = "staffToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Say that it is a bearer token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
