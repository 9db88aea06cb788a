"""The browser's return, the webhook and the reconciler at the same time, on connections of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import transaction

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.webhooks.tests.connections import await_waiting, start_threads
from payments.models import Payment
from payments.services import capture_payment
from payments.states import PaymentState
from payments.tests.builders import NOW, announced, make_order

if TYPE_CHECKING:
    from payments.tests.payers import Payer, RazorpayPayer

pytestmark = pytest.mark.django_db(transaction=True)


def test_capture_payment_from_several_connections_takes_note_once(payer: Payer) -> None:
    payment = make_order(payer)
    payer.pay(str(payment.provider_order_id))

    with transaction.atomic():
        Payment.objects.locked(payment.id)
        # All have asked the gateway, and all have heard that the money is there, before the first may write it down.
        captures = start_threads(lambda: capture_payment(payment_id=payment.id, now=NOW), count=3)
        await_waiting(3)
    found = [capture.result(timeout=10) for capture in captures]

    assert [each.state for each in found] == [PaymentState.CAPTURED] * 3
    assert len(announced()) == 1
    assert AuditEvent.objects.count() == 1


def test_capture_payment_with_news_from_before_the_money_does_not_undo_it(razorpay_payer: RazorpayPayer) -> None:
    payment = make_order(razorpay_payer)
    order_id = str(payment.provider_order_id)
    razorpay_payer.pay(order_id, "failed")

    with transaction.atomic():
        locked = Payment.objects.locked(payment.id)
        (late,) = start_threads(lambda: capture_payment(payment_id=payment.id, now=NOW), count=1)
        await_waiting(1)
        locked.capture(provider_payment_id="pay_1", captured=payment.price, now=NOW)
        locked.save()
    found = late.result(timeout=10)

    assert (found.state, found.provider_payment_id) == (PaymentState.CAPTURED, "pay_1")
    assert Payment.objects.get().state == PaymentState.CAPTURED
