from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.registry import UnknownTopic
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import mark_processed, signature_matches, store_webhook
from mindfulqalb.webhooks.tests.builders import NOW, make_event

SECRET = "whsec_of_the_test"
BODY = b'{"event": "payment.captured"}'


def _hex(secret: str, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.django_db
def test_store_webhook_keeps_the_event_and_queues_the_work() -> None:
    assert store_webhook(event=make_event(), now=NOW) is True

    stored = WebhookDelivery.objects.get()
    assert (
        stored.vendor,
        stored.event_id,
        stored.event_type,
        stored.body,
        stored.received_at,
        stored.processed_at,
    ) == (
        "razorpay",
        "evt_1",
        "payment.captured",
        '{"event": "payment.captured"}',
        NOW,
        None,
    )
    assert stored.body_digest == hashlib.sha256(BODY).hexdigest()
    message = OutboxMessage.objects.get()
    assert (message.topic, message.lane, message.payload, message.due_at) == (
        "webhook.razorpay",
        f"webhook:{stored.id}",
        {"delivery_id": str(stored.id)},
        NOW,
    )


@pytest.mark.django_db
def test_store_webhook_twice_keeps_the_first() -> None:
    store_webhook(event=make_event(), now=NOW)

    assert store_webhook(event=make_event(body='{"other": 1}'), now=NOW + timedelta(hours=1)) is False
    assert (WebhookDelivery.objects.get().body, WebhookDelivery.objects.get().received_at) == (
        '{"event": "payment.captured"}',
        NOW,
    )
    assert OutboxMessage.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("other", [{"event_id": "evt_2"}, {"vendor": "stripe"}, {"event_id": "EVT_1"}])
def test_store_webhook_takes_other_events_for_others(other: dict[str, str]) -> None:
    store_webhook(event=make_event(), now=NOW)

    assert store_webhook(event=make_event(**other), now=NOW) is True
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.count()) == (2, 2)


@pytest.mark.django_db
def test_store_webhook_shortens_an_endless_kind() -> None:
    store_webhook(event=make_event(event_type="x" * 500), now=NOW)

    assert WebhookDelivery.objects.get().event_type == "x" * 100


@pytest.mark.django_db
def test_store_webhook_of_a_vendor_that_nobody_works_for_keeps_nothing() -> None:
    with pytest.raises(UnknownTopic):
        store_webhook(event=make_event(vendor="paypal"), now=NOW)

    assert WebhookDelivery.objects.count() == 0


@pytest.mark.django_db
def test_a_body_is_sealed_in_its_own_row() -> None:
    for event_id in ("evt_1", "evt_2"):
        store_webhook(event=make_event(event_id=event_id, body='{"email": "jane@example.com"}'), now=NOW)

    with connection.cursor() as cursor:
        cursor.execute("SELECT body_encrypted FROM webhook_deliveries ORDER BY event_id")
        first, second = (bytes(row[0]) for row in cursor.fetchall())
    assert (b"jane" in first + second, first == second) == (False, False)


@pytest.mark.django_db
def test_mark_processed_notes_the_first_time() -> None:
    store_webhook(event=make_event(), now=NOW)
    stored = WebhookDelivery.objects.get()

    for hours in (1, 2):
        mark_processed(delivery_id=stored.id, now=NOW + timedelta(hours=hours))

    stored.refresh_from_db()
    assert stored.processed_at == NOW + timedelta(hours=1)


@pytest.mark.django_db
def test_the_database_keeps_an_event_once() -> None:
    store_webhook(event=make_event(), now=NOW)
    stored = WebhookDelivery.objects.get()

    with pytest.raises(IntegrityError, match="webhook_event_once"), transaction.atomic():
        WebhookDelivery.objects.create(
            vendor=stored.vendor, event_id=stored.event_id, event_type="x", body="{}", body_digest="", received_at=NOW
        )
    assert str(stored) == "razorpay payment.captured evt_1"


def test_signature_matches_under_any_of_the_secrets() -> None:
    secrets = [SECRET, "the secret before"]

    matches = [
        signature_matches(body=BODY, signature=_hex(secret), secrets=secrets)
        for secret in (SECRET, "the secret before", "another", "")
    ]

    assert matches == [True, True, False, False]


@pytest.mark.parametrize(
    "signature",
    ["", "0", "0" * 64, _hex(SECRET)[:-1], _hex(SECRET) + "0", _hex(SECRET).upper(), "\u00e9" * 64, "\ud800"],
)
def test_signature_matches_nothing_else(signature: str) -> None:
    assert signature_matches(body=BODY, signature=signature, secrets=[SECRET]) is False


@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_signature_never_matches_without_a_secret(secrets: list[str]) -> None:
    assert signature_matches(body=BODY, signature=_hex(""), secrets=secrets) is False


def test_signature_is_over_the_bytes() -> None:
    body = b"\xff\x00\xfe"

    assert signature_matches(body=body, signature=_hex(SECRET, body), secrets=[SECRET]) is True
    assert signature_matches(body=body + b" ", signature=_hex(SECRET, body), secrets=[SECRET]) is False
