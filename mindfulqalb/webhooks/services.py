"""Store what a vendor says once, answer, and work later."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.services import enqueue
from mindfulqalb.outbox.states import State
from mindfulqalb.webhooks.models import WebhookDelivery

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

# Vendors' event ids are some 40 characters; a longer one is not theirs.
LONGEST_HEADER = 2048


class InvalidWebhook(Refusal):
    """The delivery is not the vendor's, or is not readable."""

    code = "invalid_webhook"
    status = 400
    sentence = "This delivery carries no valid signature."


class AlreadyUnderWay(Refusal):
    """A second click: the first one's work is not done yet."""

    code = "already_under_way"
    status = 409
    sentence = "This delivery is being worked on."


@dataclass(frozen=True)
class WebhookEvent:
    """A delivery whose signature was found right."""

    vendor: str
    event_id: str
    event_type: str
    body: str


def store_webhook(*, event: WebhookEvent, now: datetime) -> bool:
    """Keep an event and queue the work; return False when it was here before.

    The work is the outbox topic `webhook.<vendor>`; its handler refetches the truth and so may run twice, or late.
    """
    delivery = WebhookDelivery(
        vendor=event.vendor,
        event_id=event.event_id,
        event_type=event.event_type[:100],
        body=event.body,
        body_digest=hashlib.sha256(event.body.encode()).hexdigest(),
        received_at=now,
    )
    with transaction.atomic():
        if not _insert_once(delivery):
            return False
        _enqueue_work(delivery, now)
    return True


def reprocess_webhook(*, delivery_id: UUID, actor: str, now: datetime) -> None:
    """Work on a delivery once more; it is only a hint, so that harms nothing. Raises AlreadyUnderWay."""
    with transaction.atomic():
        delivery = WebhookDelivery.objects.select_for_update().defer("body").get(id=delivery_id)
        if OutboxMessage.objects.filter(lane=f"webhook:{delivery.id}", state=State.PENDING).exists():
            raise AlreadyUnderWay
        _enqueue_work(delivery, now)
        record(action="webhook.reprocessed", actor=actor, target=f"webhook:{delivery.id}", now=now)


def mark_processed(*, delivery_id: UUID, now: datetime, about: str = "") -> None:
    """Note that the work is done, and what it was `about`, where that has come out."""
    WebhookDelivery.objects.filter(id=delivery_id, processed_at=None).update(processed_at=now, about=about)


def signature_matches(*, body: bytes, signature: str, secrets: list[str]) -> bool:
    """Compare a hex HMAC-SHA256 of the body with `signature`, in constant time and on bytes, under each secret.

    Two secrets are in force while one is rotated. An empty secret never matches: anybody could sign with it.
    """
    given = signature.encode("utf-8", "replace")
    expected = (hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() for secret in secrets if secret)
    # No early way out: the time taken tells nobody which secret was right.
    matches = [hmac.compare_digest(candidate.encode(), given) for candidate in expected]
    return any(matches)


def _enqueue_work(delivery: WebhookDelivery, now: datetime) -> None:
    enqueue(
        topic=f"webhook.{delivery.vendor}",
        lane=f"webhook:{delivery.id}",
        payload={"delivery_id": str(delivery.id)},
        now=now,
    )


def _insert_once(delivery: WebhookDelivery) -> bool:
    WebhookDelivery.objects.bulk_create([delivery], ignore_conflicts=True)
    return WebhookDelivery.objects.filter(id=delivery.id).exists()
