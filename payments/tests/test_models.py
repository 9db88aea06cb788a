from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from payments.models import Payment
from payments.money import Money
from payments.states import PaymentState
from payments.tests.builders import make_captured_payment, make_payment

pytestmark = pytest.mark.django_db


def _refused(make: Any, **overrides: Any) -> str:
    """Name the constraint that refuses a row."""
    with pytest.raises(IntegrityError) as error, transaction.atomic():
        make(**overrides)
    diagnosis = error.value.__cause__.diag  # type: ignore[union-attr]
    return str(diagnosis.constraint_name)


def test_an_order_belongs_to_one_payment() -> None:
    make_payment(provider_order_id="order_1")

    assert _refused(make_payment, provider_order_id="order_1") == "payment_order_once"


def test_order_ids_are_told_apart_by_their_capitals() -> None:
    make_payment(provider_order_id="order_A")
    make_payment(provider_order_id="order_a")

    assert Payment.objects.count() == 2


def test_two_gateways_may_give_the_same_order_id() -> None:
    make_payment(provider_order_id="order_1")
    make_payment(provider_order_id="order_1", gateway="stripe")

    assert Payment.objects.count() == 2


def test_a_second_capture_shares_its_order() -> None:
    first = make_captured_payment(provider_order_id="order_1")

    second = make_captured_payment(provider_order_id="order_1", duplicate_of=first)

    assert list(first.duplicates.all()) == [second]


def test_payments_without_an_order_may_be_many() -> None:
    make_payment(provider_order_id=None)
    make_payment(provider_order_id=None)

    assert Payment.objects.count() == 2


def test_the_gateways_payment_is_kept_once() -> None:
    make_captured_payment(provider_payment_id="pay_1")

    assert _refused(make_captured_payment, provider_payment_id="pay_1").startswith("payments_provider_payment_id")


def test_nothing_costs_nothing() -> None:
    assert _refused(make_payment, amount_minor=0) == "payment_amount_positive"


@pytest.mark.parametrize("missing", ["provider_payment_id", "captured_amount_minor", "captured_at"])
def test_captured_money_has_figures(missing: str) -> None:
    assert _refused(make_captured_payment, **{missing: None}) == "payment_captured_has_figures"


def test_a_payment_with_a_second_capture_cannot_be_deleted() -> None:
    first = make_captured_payment(provider_order_id="order_1")
    make_captured_payment(provider_order_id="order_1", duplicate_of=first)

    with pytest.raises(IntegrityError):
        first.delete()


def test_locked_needs_a_transaction_and_reads_again(django_assert_num_queries: Any) -> None:
    payment = make_payment()
    Payment.objects.filter(id=payment.id).update(state=PaymentState.PENDING)

    with transaction.atomic(), django_assert_num_queries(1) as queries:
        locked = Payment.objects.locked(payment.id)

    assert (locked.state, payment.state) == (PaymentState.PENDING, PaymentState.CREATED)
    assert queries.captured_queries[0]["sql"].endswith('FOR UPDATE OF "payments"')


def test_a_payment_says_its_price_and_its_name() -> None:
    payment, without_order = make_payment(provider_order_id="order_1"), make_payment(provider_order_id=None)

    assert (payment.price, str(payment)) == (Money(129900, "INR"), "INR 1,299.00 by Razorpay, order_1")
    assert str(without_order) == f"INR 1,299.00 by Razorpay, {without_order.id}"


def test_nothing_is_captured_of_a_payment_that_nobody_paid() -> None:
    assert (make_payment().captured, make_captured_payment().captured) == (Money(0, ""), Money(129900, "INR"))
