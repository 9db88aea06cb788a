"""An order that was kept from before a change of prices buys nothing at the old one by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mindfulqalb.catalogue.models import Price
from mindfulqalb.outbox.models import OutboxMessage
from payments.models import Payment
from payments.queries import refundable
from payments.services import PaymentUnusable, capture_payment, lock_spendable
from payments.states import Attention
from payments.tests.builders import make_order

if TYPE_CHECKING:
    from datetime import datetime

    from payments.tests.payers import Payer, RazorpayPayer

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _catalogue(catalogue: None) -> None:
    """Prices are what this is about."""


def _raise_prices() -> None:
    for price in Price.objects.all():
        price.amount_minor += 10000
        price.save()


def _paid(payer: Payer, now: datetime, *, ends: timedelta, **overrides: str) -> Payment:
    payment = make_order(payer, reference="", item="individual-video")
    Payment.objects.filter(id=payment.id).update(expires_at=now + ends, **overrides)
    payer.pay(str(payment.provider_order_id))
    return capture_payment(payment_id=payment.id, now=now)


def _offered() -> int:
    return OutboxMessage.objects.filter(topic="payment.captured").count()


def test_outdated_order_is_kept_for_a_person_and_can_go_back(razorpay_payer: RazorpayPayer, now: datetime) -> None:
    _raise_prices()

    payment = _paid(razorpay_payer, now, ends=-DAY)

    assert (payment.is_captured, payment.attention, _offered()) == (True, Attention.PRICE, 0)
    assert refundable(payment) == payment.captured
    with pytest.raises(PaymentUnusable):
        lock_spendable(payment.id)


def test_late_order_at_a_price_that_stands_books_as_ever(razorpay_payer: RazorpayPayer, now: datetime) -> None:
    payment = _paid(razorpay_payer, now, ends=-DAY)

    assert (payment.is_captured, payment.attention, _offered()) == (True, Attention.NONE, 1)


def test_order_that_was_paid_in_time_keeps_its_price(payer: Payer, now: datetime) -> None:
    """Also when its capture is heard of late: what counts is when the payer set about it."""
    _raise_prices()
    payment = _paid(payer, now, ends=timedelta(minutes=5))

    assert (payment.is_captured, payment.attention, _offered()) == (True, Attention.NONE, 1)


def test_late_order_of_what_is_sold_no_more_is_left_to_booking(razorpay_payer: RazorpayPayer, now: datetime) -> None:
    Price.objects.all().delete()

    assert _paid(razorpay_payer, now, ends=-DAY).attention == Attention.NONE
