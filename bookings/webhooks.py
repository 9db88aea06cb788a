"""Deliveries of Cal.com: a hint that something has changed there."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from django.conf import settings

from mindfulqalb.webhooks.bodies import json_object
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import (
    LONGEST_HEADER,
    InvalidWebhook,
    WebhookEvent,
    signature_matches,
    store_webhook,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

# BOOKING_CREATED and the like; what a body calls itself otherwise stays inside the sealed body.
# Short UUIDs; nothing else goes into an address of theirs.
APPOINTMENT_UID = re.compile(r"[A-Za-z0-9_-]{1,255}")
EVENT_TYPE = re.compile(r"[A-Z_]{1,100}")


def receive_calendar_webhook(*, body: bytes, headers: Mapping[str, str], now: datetime) -> bool:
    """Check a delivery's signature and store it once; False when it was here before. Raises InvalidWebhook.

    https://cal.com/docs/developing/guides/automation/webhooks There is no event id, so the body's digest stands for
    one.
    """
    signature = headers.get("X-Cal-Signature-256", "")
    secrets = [settings.CALCOM_WEBHOOK_SECRET, *settings.CALCOM_WEBHOOK_SECRET_FALLBACKS]
    if not 0 < len(signature) <= LONGEST_HEADER or not signature_matches(
        body=body, signature=signature, secrets=secrets
    ):
        raise InvalidWebhook
    text = body.decode("utf-8", "replace")
    event_type = json_object(text).get("triggerEvent")
    if not isinstance(event_type, str) or not EVENT_TYPE.fullmatch(event_type):
        event_type = "unknown"
    event = WebhookEvent("calcom", hashlib.sha256(body).hexdigest(), event_type, text)
    return store_webhook(event=event, now=now)


def appointment_told_of(*, delivery_id: UUID) -> str | None:
    """Read which appointment a stored delivery is about; MEETING_STARTED and MEETING_ENDED are flat."""
    body = json_object(WebhookDelivery.objects.get(id=delivery_id).body)
    payload = body.get("payload")
    told = payload if isinstance(payload, dict) else body
    uid = told.get("uid") or told.get("bookingUid")
    return uid if isinstance(uid, str) and APPOINTMENT_UID.fullmatch(uid) else None
