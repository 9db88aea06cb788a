"""`Idempotency-Key` on the three calls that make something."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from bookings.tests.builders import make_payment
from mindfulqalb.idempotency.models import KeptAnswer

if TYPE_CHECKING:
    from bookings.tests.visitor import Visitor

ORDER = {"sessionType": "individual", "format": "video"}
KEY = {"Idempotency-Key": "0b7c6f0e-0000-4000-8000-000000000001"}


def _post(path: str, body: dict[str, Any], headers: dict[str, str] = KEY) -> tuple[int, dict[str, Any]]:
    response = APIClient().post(path, body, headers=headers)
    return response.status_code, response.json()


def test_create_order_repeated_is_one_order(visitor: Visitor) -> None:
    first, second = (_post("/api/payments/create-order", ORDER) for _ in range(2))

    assert (second, visitor.sandbox.calls("razorpay.orders.create")) == (first, 1)


def test_create_order_without_a_key_makes_two(visitor: Visitor) -> None:
    first, second = (_post("/api/payments/create-order", ORDER, {}) for _ in range(2))

    assert first[1]["orderId"] != second[1]["orderId"]


def test_create_order_with_a_used_key_and_another_body_is_refused(visitor: Visitor) -> None:
    _post("/api/payments/create-order", ORDER)

    status, answer = _post("/api/payments/create-order", ORDER | {"format": "chat"})

    assert (status, answer["code"]) == (409, "idempotency_key_reused")


def test_create_checkout_repeated_is_one_session(visitor: Visitor, settings: Any) -> None:
    settings.CHECKOUT_RETURN_ORIGINS = ["https://mindfulqalb.com"]
    body = ORDER | {
        "customer": {"email": "jane@example.com"},
        "successUrl": "https://mindfulqalb.com/ok",
        "cancelUrl": "https://mindfulqalb.com/no",
    }

    first, second = (_post("/api/payments/create-checkout", body) for _ in range(2))

    assert (second, visitor.sandbox.calls("stripe.sessions.create")) == (first, 1)


def test_booking_repeated_gives_the_same_answer_to_the_letter(visitor: Visitor) -> None:
    body = visitor.wish | {"paymentId": make_payment().provider_payment_id}

    first, second = (_post("/api/bookings", body) for _ in range(2))

    assert (first[0], second) == (201, first)


def test_hold_repeated_gives_the_same_answer_to_the_letter(visitor: Visitor) -> None:
    first, second = (_post("/api/bookings/hold", visitor.wish | {"payWith": "razorpay"}) for _ in range(2))

    assert (first[0], second) == (201, first)


def test_refusal_is_not_kept(visitor: Visitor) -> None:
    visitor.sandbox.fault("razorpay", "bare_500", "orders.*", times=2)
    first = _post("/api/payments/create-order", ORDER)

    second = _post("/api/payments/create-order", ORDER)

    assert (first[0], second[0], KeptAnswer.objects.count()) == (503, 200, 1)


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "caf\u00e9"])
def test_key_that_is_none_is_refused(key: str, visitor: Visitor) -> None:
    status, answer = _post("/api/payments/create-order", ORDER, {"Idempotency-Key": key})

    assert (status, list(answer["fields"])) == (400, ["Idempotency-Key"])


def test_create_order_at_once_from_many_tabs_executes_one(visitor: Visitor) -> None:
    visitor.sandbox.fault("razorpay", "delay", "orders.create", seconds=0.5)

    def ask(_: int) -> int:
        try:
            return _post("/api/payments/create-order", ORDER)[0]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as crowd:
        statuses = sorted(crowd.map(ask, range(6)))

    assert (statuses[0], set(statuses) <= {200, 409}, visitor.sandbox.calls("razorpay.orders.create")) == (200, True, 1)
