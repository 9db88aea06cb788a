"""How long what vendors said is kept."""

from __future__ import annotations

from mindfulqalb.retention.registry import Retained, keep
from mindfulqalb.retention.removers import delete_rows
from mindfulqalb.retention.states import Action
from mindfulqalb.webhooks.models import WebhookDelivery

WEBHOOKS = keep(
    Retained(
        kind="webhook",
        model=WebhookDelivery,
        since="received_at",
        about="about",
        actions={Action.ERASE: delete_rows(WebhookDelivery)},
    )
)
