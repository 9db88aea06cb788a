"""Amounts for people."""

from __future__ import annotations

SIGNS = {"INR": "\u20b9", "USD": "$", "EUR": "\u20ac", "GBP": "\u00a3"}


def written(amount: int, currency: str) -> str:
    """Write an amount in minor units with its currency's sign: 129900 INR is 1,299.00 rupees."""
    code = currency.upper()
    return f"{SIGNS.get(code, code + ' ')}{amount / 100:,.2f}"
