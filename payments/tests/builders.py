"""Plain builders: each makes one valid thing, and takes what a test is about as an override."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mindfulqalb.outbox.models import OutboxMessage
from payments.gateways.base import OrderRequest
from payments.models import Payment
from payments.services import Checkout, request_order, start_payment

if TYPE_CHECKING:
    from payments.money import Money
    from payments.tests.payers import Payer

NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)
CHECKOUT = Checkout(
    payer_email="jane@example.com",
    success_url="http://127.0.0.1:8000/ok?session_id={CHECKOUT_SESSION_ID}",
    cancel_url="http://127.0.0.1:8000/no",
)
_numbers = itertools.count(1)


def make_payment(**overrides: Any) -> Payment:
    """A payment of Razorpay's that waits to be paid."""
    values: dict[str, Any] = {
        "gateway": "razorpay",
        "item": "individual-video",
        "reference": "visit-1",
        "amount_minor": 129900,
        "currency": "INR",
        "provider_order_id": f"order_{next(_numbers):014d}",
        "expires_at": NOW + timedelta(minutes=15),
    }
    return Payment.objects.create(**(values | overrides))


def make_captured_payment(**overrides: Any) -> Payment:
    """A payment whose money is here."""
    values: dict[str, Any] = {
        "state": "CAPTURED",
        "provider_payment_id": f"pay_{next(_numbers):014d}",
        "captured_amount_minor": 129900,
        "captured_currency": "INR",
        "captured_at": NOW,
    }
    return make_payment(**(values | overrides))


def make_second_capture(payment: Payment) -> Payment:
    """The money of an order that was paid once more; by its id it comes before whatever else there is."""
    return make_captured_payment(
        id=UUID(int=next(_numbers)),
        gateway=payment.gateway,
        provider_order_id=payment.provider_order_id,
        duplicate_of=payment,
        attention="second_capture",
    )


def make_order(payer: Payer, **overrides: Any) -> Payment:
    """A payment with an order at the payer's gateway, at the payer's price."""
    values: dict[str, Any] = {
        "gateway": payer.name,
        "item": "individual-video",
        "price": payer.price,
        "reference": "visit-1",
        "now": datetime.now(UTC),
    }
    return request_order(payment=start_payment(**(values | overrides)), title="Individual session", checkout=CHECKOUT)


def make_request(price: Money, **overrides: Any) -> OrderRequest:
    """What a gateway is asked for; its end lies far enough ahead for every gateway."""
    values: dict[str, Any] = {
        "receipt": "5e0f6a54-0000-4000-8000-000000000001",
        "price": price,
        "description": "Individual session",
        "asked_at": datetime.now(UTC),
        "expires_at": datetime.now(UTC) + timedelta(hours=2),
        "payer_email": "jane@example.com",
        "success_url": "http://127.0.0.1:8000/ok",
        "cancel_url": "http://127.0.0.1:8000/no",
    }
    return OrderRequest(**(values | overrides))


def announced() -> list[tuple[str, dict[str, Any]]]:
    """Lane and payload of every `payment.captured` that waits in the outbox, oldest first."""
    messages = OutboxMessage.objects.filter(topic="payment.captured").order_by("sequence")
    return list(messages.values_list("lane", "payload"))
