"""Webhook deliveries in the admin: to read, without their bodies."""

from __future__ import annotations

from django.contrib import admin

from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.webhooks.models import WebhookDelivery


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """What vendors told us, and whether we have acted on it."""

    list_display = ("received_at", "vendor", "event_type", "event_id", "processed_at")
    list_filter = ("vendor", "event_type")
    search_fields = ("event_id",)
    ordering = ("-received_at",)
    exclude = ("body",)
