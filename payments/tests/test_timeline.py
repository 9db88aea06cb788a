"""A payment's whole story, on one page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from django.urls import reverse

from mindfulqalb.audit.services import record_read
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.refunds import request_refund
from payments.services import abandon_orders, receive_webhook
from payments.states import RefundReason
from payments.tests.builders import make_captured_payment, make_order
from payments.timeline import timeline

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from payments.models import Payment
    from payments.tests.payers import Payer, RazorpayPayer

pytestmark = pytest.mark.django_db


def _deliver_all() -> None:
    for minutes in (1, 2):
        deliver_due(now=datetime.now(UTC) + timedelta(minutes=minutes), limit=20)


def _notify(payer: Payer, payment: Payment, event_id: str) -> None:
    body = payer.body_about(str(payment.provider_order_id))
    headers = payer.sign(body, event_id=event_id)
    receive_webhook(gateway=payer.name, body=body, headers=headers, now=datetime.now(UTC))


def test_timeline_tells_of_a_look_at_personal_data() -> None:
    payment = make_captured_payment()
    record_read(
        actor="staff:1",
        target=f"payment:{payment.id}",
        fields=["email", "name"],
        reason="they called",
        now=payment.created_at,
    )

    assert "personal_data.read" in [moment.what for moment in timeline(payment)]


def test_timeline_tells_order_attempt_webhooks_capture_and_refund_in_order(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer, reference="")
    razorpay_payer.pay(str(payment.provider_order_id), "failed")
    _notify(razorpay_payer, payment, "evt_1")
    _deliver_all()
    razorpay_payer.pay(str(payment.provider_order_id))
    _notify(razorpay_payer, payment, "evt_2")
    WebhookDelivery.objects.filter(event_id="evt_2").update(processed_at=None)
    _deliver_all()
    request_refund(
        payment_id=payment.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=datetime.now(UTC)
    )

    told = [moment.what for moment in timeline(payment)]

    assert [what for what in told if what.startswith("payment.")] == [
        "payment.asked",
        "payment.failed",
        "payment.captured",
    ]
    assert (told.count("webhook payment.captured"), "refund.requested" in told) == (2, True)
    assert sorted(moment.at for moment in timeline(payment)) == [moment.at for moment in timeline(payment)]


def test_webhook_is_found_again_by_its_payment(payer: Payer) -> None:
    payment = make_order(payer, reference="")
    payer.pay(str(payment.provider_order_id))

    _notify(payer, payment, "evt_1")
    _deliver_all()

    assert WebhookDelivery.objects.get().about == f"payment:{payment.id}"


def test_timeline_tells_of_an_order_that_was_closed(stripe_payer: Payer) -> None:
    payment = make_order(stripe_payer, reference=str(UUID(int=7)))

    abandon_orders(reference=payment.reference, now=datetime.now(UTC))

    assert [moment.what for moment in timeline(payment)] == ["payment.asked", "payment.expired"]


@pytest.mark.parametrize("item_count", [1, 3])
def test_timeline_stands_on_the_payments_page_and_costs_the_same_for_any_length(
    item_count: int, admin_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    payment = make_captured_payment(reference="")
    for _ in range(item_count):
        request_refund(
            payment_id=payment.id, amount_minor=1, reason=RefundReason.STAFF, actor="staff:1", now=datetime.now(UTC)
        )

    page = admin_client.get(reverse("admin:payments_payment_change", args=[payment.id])).content.decode()

    assert page.count("<strong>refund.requested</strong>") == item_count
    with django_assert_num_queries(4):
        timeline(payment)
