from __future__ import annotations

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from bookings.tests.builders import NOW
from bookings.webhooks import hint_of, receive_calendar_webhook
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import InvalidWebhook

if TYPE_CHECKING:
    from pytest_django import Settings

PATH = "/api/webhooks/calcom"
BODY = b'{"triggerEvent": "BOOKING_CREATED", "payload": {"uid": "uid1", "attendees": [{"email": "jane@example.com"}]}}'
SECRET = "whsec_sandbox_calcom"


def _sign(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _deliver(api: APIClient, body: bytes = BODY, signature: str | None = None) -> tuple[int, dict[str, Any]]:
    headers = {"X-Cal-Signature-256": _sign(body) if signature is None else signature}
    response = api.generic("POST", PATH, body, content_type="application/json", headers=headers)  # type: ignore[arg-type]
    return response.status_code, response.json()


def _stored() -> list[tuple[str, str]]:
    return list(WebhookDelivery.objects.order_by("received_at").values_list("event_type", "event_id"))


@pytest.mark.django_db
def test_webhook_is_stored_sealed_and_queued(api: APIClient) -> None:
    status, answer = _deliver(api)

    delivery, message = WebhookDelivery.objects.get(), OutboxMessage.objects.get()
    assert (status, answer, delivery.body) == (200, {"received": True}, BODY.decode())
    assert (message.topic, message.payload) == ("webhook.calcom", {"delivery_id": str(delivery.id)})
    assert (delivery.vendor, delivery.event_id, delivery.processed_at) == (
        "calcom",
        hashlib.sha256(BODY).hexdigest(),
        None,
    )


@pytest.mark.django_db
def test_webhook_delivered_twice_is_stored_once(api: APIClient) -> None:
    answers = [_deliver(api) for _ in range(2)]

    assert answers == [(200, {"received": True})] * 2
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_webhook_of_another_body_is_another_event(api: APIClient) -> None:
    _deliver(api)
    _deliver(api, BODY.replace(b"uid1", b"uid2"))

    assert WebhookDelivery.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_webhook_delivered_by_many_at_once_is_stored_once() -> None:
    def deliver(_: int) -> int:
        try:
            return _deliver(APIClient())[0]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as crowd:
        statuses = list(crowd.map(deliver, range(16)))

    assert (statuses, WebhookDelivery.objects.count(), OutboxMessage.objects.count()) == ([200] * 16, 1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "signature",
    [
        "",
        "no-secret-provided",
        "0" * 64,
        _sign(secret=""),
        _sign(secret="whsec_sandbox_razorpay"),
        _sign(b"another body"),
        _sign()[:-1],
        _sign() + "0",
        "sha256=" + _sign(),
        " ",
        "\u0661" * 64,
        "\u00e9" * 64,
        "a" * 5_000,
    ],
)
def test_webhook_refuses_a_wrong_signature(signature: str, api: APIClient) -> None:
    status, answer = _deliver(api, signature=signature)

    assert (status, answer["code"], answer["success"]) == (400, "invalid_webhook", False)
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_webhook_refuses_a_missing_signature(api: APIClient) -> None:
    response = api.generic("POST", PATH, BODY, content_type="application/json")  # type: ignore[arg-type]

    assert (response.status_code, response.json()["code"]) == (400, "invalid_webhook")
    assert WebhookDelivery.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("signature", [_sign(secret=""), "no-secret-provided", ""])
def test_webhook_without_a_secret_refuses_everything(signature: str, api: APIClient, settings: Settings) -> None:
    settings.CALCOM_WEBHOOK_SECRET = ""
    settings.CALCOM_WEBHOOK_SECRET_FALLBACKS = [""]

    assert _deliver(api, signature=signature)[0] == 400


@pytest.mark.django_db
def test_webhook_secret_can_be_rotated(api: APIClient, settings: Settings) -> None:
    settings.CALCOM_WEBHOOK_SECRET = "the-new-secret"
    before, _ = _deliver(api)
    settings.CALCOM_WEBHOOK_SECRET_FALLBACKS = [SECRET]
    during, _ = _deliver(api)
    other = BODY.replace(b"uid1", b"uid2")
    after, _ = _deliver(api, other, _sign(other, "the-new-secret"))

    assert (before, during, after, WebhookDelivery.objects.count()) == (400, 200, 200, 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"[]",
        b"null",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"triggerEvent": 5}',
        b'{"triggerEvent": {"attendee": "jane@example.com"}}',
        b'{"triggerEvent": "jane@example.com"}',
        b'{"triggerEvent": "A\\u0000B"}',
        b'{"triggerEvent": "\\ud800"}',
        b'{"triggerEvent": "' + b"A" * 300 + b'"}',
    ],
)
def test_webhook_of_an_odd_body_is_kept_and_named_unknown(body: bytes, api: APIClient) -> None:
    """Its signature is right, so it is the vendor's, and the work it causes is the same."""
    status, _ = _deliver(api, body)

    assert (status, _stored()) == (200, [("unknown", hashlib.sha256(body).hexdigest())])


@pytest.mark.django_db
def test_webhook_of_a_huge_body_is_refused(api: APIClient, settings: Settings) -> None:
    settings.WEBHOOK_BODY_LIMIT = 1_000
    body = b"x" * 1_001

    status, answer = _deliver(api, body)

    assert (status, answer["code"], WebhookDelivery.objects.count()) == (413, "payload_too_large", 0)


@pytest.mark.django_db
def test_webhook_body_is_unreadable_in_the_outbox_and_the_audit(api: APIClient) -> None:
    _deliver(api)

    columns = list(WebhookDelivery.objects.values_list("event_type", "event_id", "body_digest"))
    payloads = list(OutboxMessage.objects.values_list("lane", "payload"))
    assert [trace for trace in ("jane", "uid1") if trace in json.dumps([columns, payloads], default=str)] == []


@pytest.mark.django_db
def test_receive_calendar_webhook_says_whether_it_is_new() -> None:
    headers = {"X-Cal-Signature-256": _sign()}

    first = receive_calendar_webhook(body=BODY, headers=headers, now=NOW)
    second = receive_calendar_webhook(body=BODY, headers=headers, now=NOW)

    assert (first, second) == (True, False)


@pytest.mark.django_db
def test_receive_calendar_webhook_raises_for_a_stranger() -> None:
    with pytest.raises(InvalidWebhook):
        receive_calendar_webhook(body=BODY, headers={}, now=NOW)


SPAN = {"startTime": "2026-12-04T18:00:00Z", "endTime": "2026-12-04T19:00:00+00:00"}
BEFORE = {"rescheduleStartTime": "2026-12-09T05:00:00Z", "rescheduleEndTime": "2026-12-09T06:00:00Z"}
MIDNIGHT = (date(2026, 12, 4), date(2026, 12, 5))  # at half past eleven, in India


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "uid", "days"),
    [
        ({"payload": {"uid": "u1", **SPAN}}, "u1", MIDNIGHT),
        ({"uid": "u1", **SPAN}, "u1", MIDNIGHT),
        ({"payload": {"uid": "u2", "rescheduleUid": "u1", **SPAN, **BEFORE}}, "u2", (*MIDNIGHT, date(2026, 12, 9))),
        # What leaves something open touches every day.
        ({"payload": {"uid": "u2", "rescheduleUid": "u1", **SPAN}}, "u2", ()),
        ({"payload": {"bookingUid": "u1"}}, "u1", ()),
        ({"payload": {**SPAN, "endTime": "soon"}}, None, ()),
        ({"payload": {**SPAN, "endTime": 7}}, None, ()),
        ({"payload": {**SPAN, "endTime": "2026-12-03T19:00:00Z"}}, None, ()),
        ({"payload": {**SPAN, "endTime": "2027-12-03T19:00:00Z"}}, None, ()),
        ({"payload": {"startTime": "9999-12-31T23:00:00Z", "endTime": "9999-12-31T23:59:00Z"}}, None, ()),
    ],
)
def test_hint_names_the_days_that_were_touched(body: dict[str, Any], uid: str | None, days: tuple[date, ...]) -> None:
    receive_calendar_webhook(
        body=json.dumps(body).encode(), headers={"X-Cal-Signature-256": _sign(json.dumps(body).encode())}, now=NOW
    )

    hint = hint_of(delivery_id=WebhookDelivery.objects.get().id)

    assert (hint.uid, hint.days) == (uid, days)
