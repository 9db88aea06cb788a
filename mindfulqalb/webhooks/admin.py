"""Webhook deliveries in the admin: to read without their bodies, and to work on once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin

from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.values import ValuesFilter
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import reprocess_webhook

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """What vendors told us, and whether we have acted on it."""

    list_display = ("received_at", "vendor", "event_type", "event_id", "processed_at")
    list_filter: ClassVar = [("vendor", ValuesFilter), ("event_type", ValuesFilter)]
    search_fields = ("event_id",)
    ordering = ("-received_at",)
    exclude = ("body",)
    actions = ("reprocess",)

    def has_reprocess_permission(self, request: HttpRequest) -> bool:
        """Whether this person may have deliveries worked on again."""
        return request.user.has_perm("webhooks.reprocess_webhookdelivery")

    # The vendor is asked what is true now.
    reprocess = RowAction(
        label="Work on it again",
        done="Deliveries worked on again",
        permissions=["reprocess"],
        act=lambda row, told: reprocess_webhook(delivery_id=row.id, actor=told.actor, now=told.now),
    )
