"""Consent in the admin: evidence, to read."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from consent.models import ConsentDocument, ConsentRecord
from mindfulqalb.staff.read_only import ReadOnlyAdmin


@admin.register(ConsentDocument)
class ConsentDocumentAdmin(ReadOnlyAdmin):
    """What was shown."""

    list_display = ("kind", "version", "locale", "title", "published_at", "sha256")
    list_filter = ("kind", "locale")


@admin.register(ConsentRecord)
class ConsentRecordAdmin(ReadOnlyAdmin):
    """Who accepted which text; persons stay sealed."""

    list_display = ("created_at", "session_type", "consent_version", "method", "is_flagged", "valid_until")
    list_filter: ClassVar = ["consent_version", "session_type", "method", "is_flagged"]
    search_fields = ("id", "email_hash")
    ordering = ("-created_at",)
    exclude = ("email", "full_ip_address", "claimed_ip_address")
    show_full_result_count = False
