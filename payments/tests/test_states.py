from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest

from payments.models import Payment
from payments.money import Money
from payments.states import ALLOWED, Attention, ImpossibleMove, PaymentState
from payments.tests.builders import NOW

if TYPE_CHECKING:
    from collections.abc import Callable

MUTATORS: dict[PaymentState, Callable[[Payment], None]] = {
    PaymentState.PENDING: lambda payment: payment.wait(),
    PaymentState.FAILED: lambda payment: payment.fail(),
    PaymentState.CAPTURED: lambda payment: payment.capture(
        provider_payment_id="pay_1", captured=Money(129900, "INR"), now=NOW
    ),
}


def _payment(**overrides: object) -> Payment:
    return Payment(gateway="razorpay", amount_minor=129900, currency="INR", **overrides)


def test_allowed_moves_are_the_designs() -> None:
    assert {
        "CREATED": {"PENDING", "CAPTURED", "FAILED", "EXPIRED"},
        "PENDING": {"CAPTURED", "FAILED", "EXPIRED"},
        "FAILED": {"PENDING", "CAPTURED"},
        "EXPIRED": {"PENDING", "CAPTURED"},
        "CAPTURED": set(),
    } == ALLOWED


@pytest.mark.parametrize(("start", "end"), list(product(PaymentState, MUTATORS)))
def test_a_mutator_moves_as_the_table_allows_and_not_otherwise(start: PaymentState, end: PaymentState) -> None:
    payment = _payment(state=start)

    if end in ALLOWED[start]:
        MUTATORS[end](payment)
        assert payment.state == end
    else:
        with pytest.raises(ImpossibleMove, match=f"cannot move from {start} to {end}"):
            MUTATORS[end](payment)
        assert (payment.state, payment.provider_payment_id, payment.captured_at) == (start, None, None)


def test_capture_keeps_the_gateways_figures() -> None:
    payment = _payment()

    payment.capture(provider_payment_id="pay_1", captured=Money(129900, "INR"), now=NOW)

    assert (payment.provider_payment_id, payment.captured_amount_minor, payment.captured_currency) == (
        "pay_1",
        129900,
        "INR",
    )
    assert (payment.captured_at, payment.attention, payment.is_captured, payment.is_spendable) == (NOW, "", True, True)


@pytest.mark.parametrize(
    ("captured", "reason"),
    [
        (Money(129899, "INR"), Attention.AMOUNT),
        (Money(129901, "INR"), Attention.AMOUNT),
        (Money(0, "INR"), Attention.AMOUNT),
        (Money(129900, "USD"), Attention.CURRENCY),
        (Money(129900, ""), Attention.CURRENCY),
        (Money(1600, "USD"), Attention.CURRENCY),
    ],
)
def test_capture_of_other_figures_wants_a_person_and_buys_nothing(captured: Money, reason: Attention) -> None:
    payment = _payment()

    payment.capture(provider_payment_id="pay_1", captured=captured, now=NOW)

    assert (payment.state, payment.attention) == (PaymentState.CAPTURED, reason)
    assert (payment.is_captured, payment.is_spendable) == (True, False)
    assert (payment.amount_minor, payment.currency) == (129900, "INR")


def test_capture_a_second_time_does_not_touch_the_first() -> None:
    payment = _payment()
    payment.capture(provider_payment_id="pay_1", captured=payment.price, now=NOW)

    with pytest.raises(ImpossibleMove):
        payment.capture(provider_payment_id="pay_2", captured=Money(1, "USD"), now=NOW + timedelta(hours=1))

    assert (payment.provider_payment_id, payment.captured_amount_minor, payment.captured_at, payment.attention) == (
        "pay_1",
        129900,
        NOW,
        "",
    )


@pytest.mark.parametrize("state", [state for state in PaymentState if state != PaymentState.CAPTURED])
def test_only_captured_money_is_spendable(state: PaymentState) -> None:
    payment = _payment(state=state)

    assert (payment.is_captured, payment.is_spendable) == (False, False)
