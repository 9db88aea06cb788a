"""The audit trail in the admin: to read."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.read_only import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Who did what to which object."""

    list_display = ("occurred_at", "action", "target", "actor", "request_id")
    list_filter: ClassVar = ["occurred_at"]
    search_fields = ("action", "target", "actor", "request_id")
    ordering = ("-occurred_at",)
    show_full_result_count = False
