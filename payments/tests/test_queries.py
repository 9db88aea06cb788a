from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from payments.models import Dispute, Payment, Refund
from payments.queries import (
    has_gone_back,
    is_disputed,
    is_untouched,
    needing_a_person,
    open_payment_for,
    paid_payment_for,
)
from payments.states import DisputeState, PaymentState, RefundState
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


@pytest.mark.parametrize("state", [PaymentState.PENDING, PaymentState.CAPTURED])
def test_paid_payment_is_what_was_paid_or_is_being_paid(state: PaymentState) -> None:
    payment = make_captured_payment(state=state)

    assert paid_payment_for(reference="visit-1") == payment


@pytest.mark.parametrize("state", [PaymentState.CREATED, PaymentState.FAILED, PaymentState.EXPIRED])
def test_paid_payment_is_not_what_nobody_has_paid(state: PaymentState) -> None:
    make_payment(state=state)

    assert paid_payment_for(reference="visit-1") is None


def test_paid_payment_is_the_newest() -> None:
    made = [make_captured_payment(id=UUID(int=hour), created_at=NOW + timedelta(hours=hour)) for hour in (1, 3, 2)]

    assert paid_payment_for(reference="visit-1") == made[1]


def test_paid_payment_is_this_payers_and_has_not_gone_back() -> None:
    make_captured_payment(reference="visit-2")
    _refund(make_captured_payment())

    assert paid_payment_for(reference="visit-1") is None


def _refund(payment: Payment, **overrides: Any) -> Refund:
    values: dict[str, Any] = {
        "amount_minor": 100,
        "currency": "INR",
        "reason": "staff",
        "actor": "staff:1",
        "requested_at": NOW,
    }
    return Refund.objects.create(payment=payment, **(values | overrides))


@pytest.mark.parametrize("state", RefundState)
def test_a_payment_is_untouched_while_no_refund_of_it_went_out(state: RefundState) -> None:
    payment = make_captured_payment()
    _refund(payment, state=state)

    assert is_untouched(payment) is (state == RefundState.FAILED)


@pytest.mark.parametrize("state", DisputeState)
def test_a_payment_is_untouched_while_no_bank_wants_it_or_has_it(state: DisputeState) -> None:
    payment = make_captured_payment()
    Dispute.objects.create(
        payment=payment,
        provider_dispute_id="disp_1",
        state=state,
        amount_minor=100,
        currency="INR",
        noticed_at=NOW,
    )

    assert is_untouched(payment) is (state == DisputeState.WON)
    assert is_disputed(payment) is (state in {DisputeState.OPEN, DisputeState.UNDER_REVIEW})


@pytest.mark.parametrize(("refunded", "expected"), [(129899, False), (129900, True)])
def test_a_payment_has_gone_back_when_all_of_it_has_arrived(refunded: int, expected: bool) -> None:
    payment = make_captured_payment()
    _refund(payment, amount_minor=refunded, state=RefundState.PROCESSED)
    _refund(payment, amount_minor=129900, state=RefundState.PENDING)

    assert has_gone_back(payment) is expected


def _disputed(payment: Payment, amount_minor: int, state: DisputeState = DisputeState.LOST) -> None:
    Dispute.objects.create(
        payment=payment,
        provider_dispute_id=f"disp_{payment.id}",
        state=state,
        amount_minor=amount_minor,
        currency="INR",
        noticed_at=NOW,
    )


@pytest.mark.parametrize(("taken", "is_back"), [(129900, True), (129899, False)])
def test_a_payment_has_gone_back_when_a_bank_took_all_of_it(taken: int, is_back: bool) -> None:
    payment = make_captured_payment()
    _disputed(payment, taken)

    assert has_gone_back(payment) is is_back


@pytest.mark.parametrize(
    ("taken", "verdict", "refund", "is_needed"),
    [
        (129900, DisputeState.LOST, None, False),
        (129899, DisputeState.LOST, None, True),
        (129899, DisputeState.LOST, RefundState.PENDING, False),
        (129899, DisputeState.LOST, RefundState.FAILED, True),
        (129900, DisputeState.WON, None, True),
    ],
)
def test_what_a_bank_took_needs_a_person_as_long_as_anything_is_left(
    taken: int, verdict: DisputeState, refund: RefundState | None, is_needed: bool
) -> None:
    payment, another = make_captured_payment(attention="dispute_lost"), make_captured_payment()
    _disputed(payment, taken, verdict)
    _refund(another, amount_minor=129900)
    if refund is not None:
        _refund(payment, amount_minor=1, state=refund)

    assert list(needing_a_person()) == ([payment] if is_needed else [])


def test_another_doubt_needs_a_person_though_nothing_is_left() -> None:
    payment = make_captured_payment(attention="amount_mismatch")
    _refund(payment, amount_minor=129900)

    assert list(needing_a_person()) == [payment]
