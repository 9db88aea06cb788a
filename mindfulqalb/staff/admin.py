"""Staff accounts in the admin."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.utils import timezone

from mindfulqalb.staff.audited import AuditedAdmin
from mindfulqalb.staff.confirmation import Question, act_on_each, ask_first
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.second_factor import reset_second_factor
from mindfulqalb.staff.sign_in import log_out_everywhere

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.template.response import TemplateResponse

PERSON = ("Person", {"fields": ("first_name", "last_name", "email")})
LOGIN = (None, {"fields": ("username", "password")})
DATES = ("Dates", {"fields": ("last_login", "date_joined")})
WORK = ("Work", {"fields": ("is_active", "is_staff", "groups")})
SUPERUSER = ("Beyond roles", {"fields": ("is_superuser", "user_permissions")})

RESET = Question(
    action="reset_second_factor",
    title="Reset the second factor",
    text="Make sure that it is really they who ask. They set up a new authenticator app at their next login:",
    yes="Yes, reset",
    line=str,
)


@admin.register(StaffMember)
class StaffMemberAdmin(AuditedAdmin, UserAdmin[StaffMember]):
    """Accounts and their roles. Only superusers give what goes beyond a role, and only they touch a superuser."""

    kind = "staff"
    on_record = ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")
    list_display = ("username", "first_name", "last_name", "is_active", "last_login")
    list_filter: ClassVar = ["is_active", "groups"]
    search_fields = ("username", "first_name", "last_name", "email")
    actions = ("reset_second_factor", "log_out")

    def get_fieldsets(self, request: HttpRequest, obj: StaffMember | None = None) -> Any:
        """Hide from others than superusers what would make them one."""
        if obj is None:
            return super().get_fieldsets(request, obj)
        shown = [LOGIN, PERSON, WORK, DATES]
        return [*shown, SUPERUSER] if request.user.is_superuser else shown

    def get_readonly_fields(self, request: HttpRequest, obj: StaffMember | None = None) -> Any:
        """Keep one's own roles out of one's own hands."""
        own = ("groups", "is_staff", "is_active") if obj == request.user and not request.user.is_superuser else ()
        return ("last_login", "date_joined", *own)

    def has_change_permission(self, request: HttpRequest, obj: StaffMember | None = None) -> bool:
        """Keep superusers out of others' hands: whoever may set a password could become them."""
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not is_above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: StaffMember | None = None) -> bool:
        """Refuse: the audit trail names people for ever. Untick "active" instead."""
        return False

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Change a password together with the word of it on record."""
        return super().user_change_password(request, *args, **kwargs)

    @admin.action(description="Reset the second factor", permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, rows: QuerySet[StaffMember]) -> TemplateResponse | None:
        """Forget lost authenticators, after a question."""
        chosen = self._within_reach(request, rows)
        page = ask_first(self, request, chosen, RESET)
        if page is None:
            act_on_each(self, request, chosen, partial(_reset, f"staff:{request.user.pk}"), done="Second factors reset")
        return page

    @admin.action(description="Log out everywhere", permissions=["change"])
    def log_out(self, request: HttpRequest, rows: QuerySet[StaffMember]) -> None:
        """End all sessions and tokens of the chosen people."""
        act = partial(_log_out, f"staff:{request.user.pk}")
        act_on_each(self, request, self._within_reach(request, rows), act, done="Logged out everywhere")

    def _within_reach(self, request: HttpRequest, rows: QuerySet[StaffMember]) -> QuerySet[StaffMember]:
        return rows if request.user.is_superuser else rows.filter(is_superuser=False)


def _reset(actor: str, member: StaffMember) -> None:
    reset_second_factor(member=member, actor=actor, now=timezone.now())


def _log_out(actor: str, member: StaffMember) -> None:
    log_out_everywhere(member=member, actor=actor, now=timezone.now())
