"""The audit trail in the admin: to read."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from mindfulqalb.audit.models import AuditCheckpoint, AuditEvent, AuditSeal, AuditVerification
from mindfulqalb.staff.read_only import ReadOnlyAdmin, UncompiledAdmin
from mindfulqalb.staff.values import ValuesFilter


@admin.register(AuditEvent)
class AuditEventAdmin(UncompiledAdmin):
    """Who did what to which object, and why."""

    list_display = ("occurred_at", "action", "target", "actor", "reason", "request_id")
    list_filter: ClassVar = ["occurred_at", ("action", ValuesFilter)]
    search_fields = ("target", "actor", "request_id")
    ordering = ("-occurred_at",)


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    """How the events are chained."""

    list_display = ("sequence", "event_id", "chained_at", "chain_digest")
    ordering = ("-sequence",)


@admin.register(AuditCheckpoint)
class AuditCheckpointAdmin(ReadOnlyAdmin):
    """What was signed, and sent out of the house."""

    list_display = ("number", "sequence", "signed_at", "key_id", "chain_digest")
    ordering = ("-number",)


@admin.register(AuditVerification)
class AuditVerificationAdmin(ReadOnlyAdmin):
    """What looking through the whole trail found."""

    list_display = ("started_at", "finished_at", "event_count", "row_count", "erased_count", "finding_count")
    ordering = ("-started_at",)
