"""Deliveries of a vendor of the tests' own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mindfulqalb.webhooks.services import WebhookEvent

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


def make_event(**overrides: str) -> WebhookEvent:
    """A delivery of Razorpay's whose signature was right."""
    values: dict[str, Any] = {
        "vendor": "razorpay",
        "event_id": "evt_1",
        "event_type": "payment.captured",
        "body": '{"event": "payment.captured"}',
    }
    return WebhookEvent(**(values | overrides))
