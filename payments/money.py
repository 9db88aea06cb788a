"""An amount in one currency; never a float."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Money:
    """`amount_minor` paise or cents of the ISO 4217 `currency`; both currencies taken here have two decimals."""

    amount_minor: int
    currency: str

    def __str__(self) -> str:
        """For people: `INR 1,299.00`."""
        return f"{self.currency} {self.amount_minor // 100:,}.{self.amount_minor % 100:02d}"
