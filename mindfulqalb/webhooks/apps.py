"""What vendors told us, stored once."""

from __future__ import annotations

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """What vendors told us, stored once."""

    name = "mindfulqalb.webhooks"
    label = "webhooks"
