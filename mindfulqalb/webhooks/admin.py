"""Webhook deliveries in the admin: to read without their bodies, and to work on once more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from django.contrib import admin
from django.utils import timezone

from mindfulqalb.staff.confirmation import act_on_each
from mindfulqalb.staff.read_only import ReadOnlyAdmin
from mindfulqalb.staff.values import ValuesFilter
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import reprocess_webhook

if TYPE_CHECKING:
    from django.db.models import QuerySet
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

    @admin.action(description="Work on it again", permissions=["reprocess"])
    def reprocess(self, request: HttpRequest, rows: QuerySet[WebhookDelivery]) -> None:
        """Have the chosen deliveries worked on once more: the vendor is asked what is true now."""
        act = partial(_reprocess, f"staff:{request.user.pk}")
        act_on_each(self, request, rows.defer("body"), act, done="Deliveries worked on again")


def _reprocess(actor: str, delivery: WebhookDelivery) -> None:
    reprocess_webhook(delivery_id=delivery.id, actor=actor, now=timezone.now())
