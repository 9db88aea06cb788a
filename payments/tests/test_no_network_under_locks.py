"""No gateway is asked while a row is locked: a webhook would wait for as long as the gateway takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import responses
from django.db import connection

from payments.disputes import sync_disputes
from payments.gateways import gateway_named
from payments.models import Payment
from payments.refunds import request_refund, send_refund
from payments.services import capture_payment, request_order
from payments.states import RefundReason
from payments.tests.builders import CHECKOUT, NOW, make_payment

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests
    from pytest_django import Settings

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://razorpay.test"


@pytest.fixture(autouse=True)
def _made_up_gateway(settings: Settings) -> Iterator[None]:
    settings.RAZORPAY_API_URL = URL
    gateway_named.cache_clear()
    yield
    gateway_named.cache_clear()


def test_no_gateway_is_asked_within_a_transaction() -> None:
    asked: list[tuple[str, bool]] = []

    def answering(answer: dict[str, Any]) -> Any:
        def answer_one(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
            asked.append((request.path_url, connection.in_atomic_block))
            return 200, {}, json.dumps(answer)

        return answer_one

    refund = {"id": "rfnd_1", "status": "processed", "amount": 129900, "currency": "INR", "notes": []}
    attempt = {"id": "pay_1", "status": "captured", "amount": 129900, "currency": "INR"}
    payment = make_payment(provider_order_id=None)
    with responses.RequestsMock() as mock:
        mock.add_callback("POST", f"{URL}/v1/orders", answering({"id": "order_1"}))
        mock.add_callback("GET", f"{URL}/v1/orders/order_1/payments", answering({"items": [attempt]}))
        mock.add_callback("GET", f"{URL}/v1/payments/pay_1/refunds", answering({"items": []}))
        mock.add_callback("POST", f"{URL}/v1/payments/pay_1/refund", answering(refund))
        mock.add_callback("GET", f"{URL}/v1/disputes", answering({"items": []}))

        request_order(payment=payment, title="Individual session", checkout=CHECKOUT)
        capture_payment(payment_id=payment.id, now=NOW)
        asked_back = request_refund(
            payment_id=payment.id, amount_minor=None, reason=RefundReason.STAFF, actor="staff:1", now=NOW
        )
        send_refund(refund_id=asked_back.id, now=NOW)
        sync_disputes(gateway="razorpay", now=NOW)

    assert [within for _, within in asked] == [False] * 5
    assert Payment.objects.get().refunds.get().state == "PROCESSED"
