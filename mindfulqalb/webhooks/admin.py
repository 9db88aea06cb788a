"""Webhook deliveries in the admin: to read without their bodies, and to work on once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin

from mindfulqalb.bulk_actions.row_actions import RowAction
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.subjects import subject_column
from mindfulqalb.staff.values import values_called
from mindfulqalb.staff.words import Topic, called, called_with_code, in_words
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import reprocess_webhook

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    """What vendors told us, and whether we have acted on it."""

    list_filter: ClassVar = [
        ("vendor", values_called(called(Topic.VENDOR))),
        ("event_type", values_called(called_with_code(Topic.NEWS))),
    ]
    search_fields = ("event_id",)
    ordering = ("-received_at",)
    exclude = ("body",)
    actions = ("reprocess",)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Lead to what each delivery is about."""
        return ("received_at", "who", "news", subject_column(request, "about"), "event_id", "processed_at")

    @admin.display(description="vendor")
    def who(self, delivery: WebhookDelivery) -> str:
        """Name the vendor."""
        return in_words(Topic.VENDOR, delivery.vendor)

    @admin.display(description="news")
    def news(self, delivery: WebhookDelivery) -> str:
        """Say what the vendor told."""
        return called(Topic.NEWS)(delivery.event_type)

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
