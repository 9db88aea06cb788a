"""Sent mails in the admin: that they went, not what they say."""

from __future__ import annotations

from django.contrib import admin

from mindfulqalb.mail.models import SentMail
from mindfulqalb.staff.read_only import ReadOnlyAdmin


@admin.register(SentMail)
class SentMailAdmin(ReadOnlyAdmin):
    """Which mail went out about which booking."""

    list_display = ("sent_at", "template", "about")
    list_filter = ("template",)
    search_fields = ("about",)
    ordering = ("-sent_at",)
    exclude = ("content", "recipient_hash")
