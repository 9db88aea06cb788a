"""Staff accounts in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction

from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.staff.audited import AuditedAdmin
from mindfulqalb.staff.confirmation import Question
from mindfulqalb.staff.models import StaffMember
from mindfulqalb.staff.second_factor import reset_second_factor
from mindfulqalb.staff.sign_in import log_out_everywhere

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

PERSON = ("Person", {"fields": ("first_name", "last_name", "email")})
LOGIN = (None, {"fields": ("username", "password")})
DATES = ("Dates", {"fields": ("last_login", "date_joined")})
WORK = ("Work", {"fields": ("is_active", "is_staff", "groups")})
SUPERUSER = ("Beyond roles", {"fields": ("is_superuser", "user_permissions")})

FOUND = 302

RESET = Question(
    title="Reset the second factor",
    text="Make sure that it is really they who ask. They set up a new authenticator app at their next login:",
    yes="Yes, reset",
)


def _within_reach(rows: QuerySet[StaffMember], member: StaffMember) -> QuerySet[StaffMember]:
    return rows if member.is_superuser else rows.filter(is_superuser=False)


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
        """Change a password together with the word of it on record; somebody else's is to be changed by them."""
        answer = super().user_change_password(request, *args, **kwargs)
        member_id = args[0] if args else kwargs["id"]
        if request.method == "POST" and answer.status_code == FOUND and str(request.user.pk) != str(member_id):
            StaffMember.objects.filter(pk=member_id).update(must_change_password=True)
        return answer

    def save_model(self, request: HttpRequest, obj: StaffMember, form: Any, change: bool) -> None:  # noqa: FBT001
        """Have whoever gets an account choose their password."""
        obj.must_change_password = obj.must_change_password or not change
        super().save_model(request, obj, form, change)

    reset_second_factor = RowAction(
        label="Reset the second factor",
        done="Second factors reset",
        permissions=["change"],
        question=RESET,
        reach=_within_reach,
        act=lambda row, told: reset_second_factor(member=row, actor=told.actor, now=told.now),
    )
    log_out = RowAction(
        label="Log out everywhere",
        done="Logged out everywhere",
        permissions=["change"],
        reach=_within_reach,
        act=lambda row, told: log_out_everywhere(member=row, actor=told.actor, now=told.now),
    )


admin.site.unregister(Group)


@admin.register(Group)
class RoleAdmin(AuditedAdmin, GroupAdmin):
    """Roles, which the code makes (`roles.py`); what a superuser changes of one by hand is on record."""

    kind = "role"
    on_record = ("name", "permissions")
