"""How long what vendors said is kept."""

from __future__ import annotations

from mindfulqalb.retention.removers import keep_whole
from mindfulqalb.webhooks.models import WebhookDelivery

WEBHOOKS = keep_whole("webhook", WebhookDelivery, since="received_at", about="about")
