"""Deliveries of Cal.com: a hint that something has changed there."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings

from bookings.calendars.calcom.translation import instant_of
from bookings.practice_time import days_between
from mindfulqalb.vendors.errors import ProviderError
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
SPANS = (("startTime", "endTime"), ("rescheduleStartTime", "rescheduleEndTime"))
# Longer ones, such as a holiday, touch everything.
LONGEST_SPAN = timedelta(days=2)


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


@dataclass(frozen=True)
class Hint:
    """Which appointment a delivery is about, if any, and which practice-local days it names; none means any."""

    uid: str | None
    days: tuple[date, ...]


def hint_of(*, delivery_id: UUID) -> Hint:
    """Read what a stored delivery points at; MEETING_STARTED and MEETING_ENDED are flat."""
    body = json_object(WebhookDelivery.objects.get(id=delivery_id).body)
    payload = body.get("payload")
    told = payload if isinstance(payload, dict) else body
    uid = told.get("uid") or told.get("bookingUid")
    is_uid = isinstance(uid, str) and APPOINTMENT_UID.fullmatch(uid)
    return Hint(uid if is_uid else None, _days_named(told))


def _days_named(told: Mapping[str, Any]) -> tuple[date, ...]:
    """List the days of the times that it names, those before a move too; none where it leaves some of them open."""
    pairs = SPANS if "rescheduleUid" in told else SPANS[:1]
    try:
        spans = [(instant_of(told[first]), instant_of(told[last])) for first, last in pairs]
        if any(not timedelta(0) < ends - starts <= LONGEST_SPAN for starts, ends in spans):
            return ()
        return tuple(sorted({day for starts, ends in spans for day in days_between(starts, ends)}))
    except (KeyError, OverflowError, ProviderError):
        return ()
