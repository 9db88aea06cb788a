from __future__ import annotations

from datetime import timedelta

import pytest

from payments.models import Payment
from payments.queries import open_payment_for
from payments.states import PaymentState
from payments.tests.builders import NOW, make_captured_payment, make_payment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("gateway", "state", "is_open"),
    [
        ("razorpay", PaymentState.CREATED, True),
        ("razorpay", PaymentState.FAILED, True),
        ("razorpay", PaymentState.PENDING, False),
        ("razorpay", PaymentState.EXPIRED, False),
        ("stripe", PaymentState.CREATED, True),
        ("stripe", PaymentState.FAILED, False),  # the session is complete or expired: nobody can pay it any more
        ("stripe", PaymentState.PENDING, False),
        ("stripe", PaymentState.EXPIRED, False),
    ],
)
def test_open_payment_is_one_that_can_still_be_paid(gateway: str, state: PaymentState, is_open: bool) -> None:
    payment = make_payment(gateway=gateway, state=state)

    assert open_payment_for(reference="visit-1", gateway=gateway) == (payment if is_open else None)


def test_open_payment_is_not_one_that_is_paid() -> None:
    make_captured_payment()

    assert open_payment_for(reference="visit-1", gateway="razorpay") is None


@pytest.mark.parametrize("other", [{"reference": "visit-2"}, {"gateway": "stripe"}, {"provider_order_id": None}])
def test_open_payment_is_this_payers_order_at_this_gateway(other: dict[str, str | None]) -> None:
    make_payment(**other)

    assert open_payment_for(reference="visit-1", gateway="razorpay") is None


def test_open_payment_is_the_newest() -> None:
    newest, oldest = make_payment(), make_payment()
    for payment, age in ((newest, 0), (oldest, 1)):
        Payment.objects.filter(id=payment.id).update(created_at=NOW - timedelta(days=age))

    assert open_payment_for(reference="visit-1", gateway="razorpay") == newest
