"""Deliveries of both gateways, as the sandbox signs them, through the door and to their end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.models import Payment
from payments.states import PaymentState
from payments.tests.builders import announced, make_order

if TYPE_CHECKING:
    from django.http import HttpResponse
    from pytest_django import Settings
    from rest_framework.test import APIClient

    from payments.tests.payers import Payer

pytestmark = pytest.mark.django_db


def _post(api: APIClient, payer: Payer, body: bytes, headers: dict[str, str]) -> HttpResponse:
    response: HttpResponse = api.post(
        f"/api/webhooks/{payer.name}", body, content_type="application/json", headers=headers
    )
    return response


def _send(api: APIClient, payer: Payer, body: bytes, **signing: str) -> tuple[int, Any]:
    response = _post(api, payer, body, payer.sign(body, **signing))
    return response.status_code, json.loads(response.content)


def _paid_order(payer: Payer) -> tuple[Payment, list[dict[str, Any]]]:
    """Pay an order and return the webhooks that the sandbox would send now."""
    payment = make_order(payer)
    payer.sandbox.set_web("http://127.0.0.1:9")
    payer.sandbox.fault("webhooks", "never", times=None)
    payer.pay(str(payment.provider_order_id))
    return payment, payer.sandbox.webhooks()["finished"]


def _work(now: datetime) -> int:
    """Let a worker do what is due."""
    return deliver_due(now=now + timedelta(seconds=1), limit=100)


def _lanes(topic: str) -> list[str]:
    return list(OutboxMessage.objects.filter(topic=topic).order_by("sequence").values_list("lane", flat=True))


def test_a_delivery_is_stored_once_and_queued(api: APIClient, payer: Payer) -> None:
    body = payer.body_about("order_1")

    answer = _send(api, payer, body)

    stored = WebhookDelivery.objects.get()
    assert answer == (200, {"received": True})
    assert (stored.vendor, stored.event_id, stored.body, stored.processed_at) == (
        payer.name,
        "evt_1",
        body.decode(),
        None,
    )
    assert _lanes(f"webhook.{payer.name}") == [f"webhook:{stored.id}"]


def test_a_repeated_delivery_is_answered_and_not_stored_again(api: APIClient, payer: Payer) -> None:
    body = payer.body_about("order_1")

    answers = [_send(api, payer, body) for _ in range(3)]

    assert answers == [(200, {"received": True})] * 3
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.count()) == (1, 1)


def test_a_forged_delivery_is_refused_and_not_stored(api: APIClient, payer: Payer) -> None:
    body = payer.body_about("order_1")

    status, told = _send(api, payer, body, secret="somebody else's")

    assert (status, told["success"], told["code"], told["fields"]) == (400, False, "invalid_webhook", {})
    assert (WebhookDelivery.objects.count(), OutboxMessage.objects.count()) == (0, 0)


def test_a_delivery_without_signature_is_refused(api: APIClient, payer: Payer) -> None:
    response = _post(api, payer, payer.body_about("order_1"), {})

    assert (response.status_code, WebhookDelivery.objects.count()) == (400, 0)


def test_one_gateways_delivery_is_not_taken_at_the_others_door(api: APIClient, payer: Payer) -> None:
    body = payer.body_about("order_1")
    other = {"razorpay": "stripe", "stripe": "razorpay"}[payer.name]

    response = api.post(f"/api/webhooks/{other}", body, content_type="application/json", headers=payer.sign(body))

    assert (response.status_code, WebhookDelivery.objects.count()) == (400, 0)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "text/plain", "", "multipart/form-data"])
def test_a_delivery_is_taken_whatever_it_calls_itself(api: APIClient, payer: Payer, content_type: str) -> None:
    body = payer.body_about("order_1")

    response = api.generic("POST", f"/api/webhooks/{payer.name}", body.decode(), content_type, headers=payer.sign(body))

    assert (response.status_code, WebhookDelivery.objects.count()) == (200, 1)


def test_a_delivery_beyond_the_limit_is_refused(api: APIClient, payer: Payer, settings: Settings) -> None:
    settings.WEBHOOK_BODY_LIMIT = 1024
    body = b" " * 1025 + payer.body_about("order_1")

    assert _send(api, payer, body)[0] == 413
    assert WebhookDelivery.objects.count() == 0


def test_deliveries_are_posted(api: APIClient, payer: Payer) -> None:
    response = api.get(f"/api/webhooks/{payer.name}")

    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")


def test_an_unknown_vendor_has_no_door(api: APIClient) -> None:
    assert api.post("/api/webhooks/paypal", b"{}", content_type="application/json").status_code == 404


def test_a_body_is_sealed_in_the_table(api: APIClient, payer: Payer) -> None:
    _send(api, payer, payer.body_about("order_of_jane"))

    with connection.cursor() as cursor:
        cursor.execute("SELECT body_encrypted, row_to_json(webhook_deliveries)::text FROM webhook_deliveries")
        sealed, row = cursor.fetchone()
    assert (b"order_of_jane" in bytes(sealed), "order_of_jane" in row, len(bytes(sealed)) > 0) == (False, False, True)


def test_the_sandboxs_deliveries_capture_the_payment(api: APIClient, payer: Payer, now: datetime) -> None:
    payment, webhooks = _paid_order(payer)

    for webhook in webhooks:
        assert _post(api, payer, webhook["body"].encode(), webhook["headers"]).status_code == 200
    assert Payment.objects.get().state == PaymentState.CREATED  # the answer comes first, and the work later
    _work(now)

    payment.refresh_from_db()
    assert (payment.state, [lane for lane, _ in announced()]) == (PaymentState.CAPTURED, [f"payment:{payment.id}"])
    assert WebhookDelivery.objects.filter(processed_at=None).count() == 0
    assert WebhookDelivery.objects.count() == len(webhooks) > 0


def test_deliveries_in_reverse_order_come_to_the_same(api: APIClient, payer: Payer, now: datetime) -> None:
    payment, webhooks = _paid_order(payer)

    for webhook in reversed(webhooks):
        _post(api, payer, webhook["body"].encode(), webhook["headers"])
        _work(now)

    payment.refresh_from_db()
    assert (payment.state, len(announced())) == (PaymentState.CAPTURED, 1)


def test_the_same_body_under_a_new_event_id_changes_nothing(api: APIClient, payer: Payer, now: datetime) -> None:
    payment = make_order(payer)
    payer.pay(str(payment.provider_order_id))
    body = payer.body_about(str(payment.provider_order_id))
    _send(api, payer, body)
    _work(now)
    before = Payment.objects.values().get()

    again = body.replace(b"evt_1", b"evt_2")
    assert _send(api, payer, again, event_id="evt_2")[0] == 200
    _work(now + timedelta(hours=1))

    assert WebhookDelivery.objects.filter(processed_at=None).count() == 0
    assert WebhookDelivery.objects.count() == 2
    assert Payment.objects.values().get() == before
    assert len(announced()) == 1


def test_a_delivery_is_a_hint_and_no_proof(api: APIClient, payer: Payer, now: datetime) -> None:
    """It says captured; the gateway, asked, says that nobody has paid."""
    payment = make_order(payer)

    _send(api, payer, payer.body_about(str(payment.provider_order_id)))
    _work(now)

    payment.refresh_from_db()
    assert (payment.state, announced()) == (PaymentState.CREATED, [])
    assert WebhookDelivery.objects.filter(processed_at=None).count() == 0


@pytest.mark.parametrize("about", ["a stranger's order", "nothing"])
def test_a_delivery_about_what_is_not_ours_is_ignored_and_done(
    api: APIClient, payer: Payer, now: datetime, about: str
) -> None:
    make_order(payer)
    asked = payer.sandbox.state()["calls"]["counts"]
    body = payer.body_about_nothing() if about == "nothing" else payer.body_about(payer.unknown_order_id)

    _send(api, payer, body)
    _work(now)

    assert WebhookDelivery.objects.filter(processed_at=None).count() == 0
    assert list(OutboxMessage.objects.values_list("state", flat=True)) == [State.DELIVERED]
    assert payer.sandbox.state()["calls"]["counts"] == asked


@pytest.mark.parametrize("kind", ["html_502", "rate_limited"])
def test_work_on_a_delivery_waits_for_a_silent_gateway(api: APIClient, payer: Payer, now: datetime, kind: str) -> None:
    payment = make_order(payer)
    payer.pay(str(payment.provider_order_id))
    _send(api, payer, payer.body_about(str(payment.provider_order_id)))
    payer.sandbox.fault(payer.name, kind, payer.calls["collect"], times=None)

    _work(now)
    assert WebhookDelivery.objects.filter(processed_at=None).count() == 1
    assert list(OutboxMessage.objects.values_list("state", flat=True)) == [State.PENDING]

    payer.sandbox.clear_faults()
    _work(now + timedelta(hours=2))
    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED
    assert WebhookDelivery.objects.filter(processed_at=None).count() == 0


def test_a_delivery_is_worked_on_however_late(api: APIClient, payer: Payer, now: datetime) -> None:
    """Its signature is checked at the door: days later it would be too old."""
    payment = make_order(payer)
    payer.pay(str(payment.provider_order_id))
    _send(api, payer, payer.body_about(str(payment.provider_order_id)))

    _work(now + timedelta(days=2))

    payment.refresh_from_db()
    assert payment.state == PaymentState.CAPTURED


def test_a_delivery_worked_on_twice_keeps_its_first_time(api: APIClient, payer: Payer, now: datetime) -> None:
    payment = make_order(payer)
    payer.pay(str(payment.provider_order_id))
    _send(api, payer, payer.body_about(str(payment.provider_order_id)))
    _work(now)
    first = WebhookDelivery.objects.get().processed_at

    # As after a worker that died between the work and its report.
    OutboxMessage.objects.filter(topic=f"webhook.{payer.name}").update(
        state=State.PENDING, finished_at=None, leased_until=None
    )
    _work(now + timedelta(hours=1))

    assert (WebhookDelivery.objects.get().processed_at, len(announced())) == (first, 1)
