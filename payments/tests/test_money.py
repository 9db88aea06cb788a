from __future__ import annotations

import pytest

from payments.money import Money


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(129900, "INR"), "INR 1,299.00"),
        (Money(1600, "USD"), "USD 16.00"),
        (Money(1605, "USD"), "USD 16.05"),
        (Money(5, "USD"), "USD 0.05"),
        (Money(0, "INR"), "INR 0.00"),
        (Money(123456789, "INR"), "INR 1,234,567.89"),
    ],
)
def test_money_is_written_for_people(money: Money, text: str) -> None:
    assert str(money) == text


def test_money_is_equal_in_amount_and_currency_alone() -> None:
    assert Money(1600, "USD") == Money(1600, "USD")
    assert Money(1600, "USD") != Money(1600, "INR")
    assert Money(1600, "USD") != Money(1601, "USD")
