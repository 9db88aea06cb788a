"""An amount in one currency; never a float."""

from __future__ import annotations

from dataclasses import dataclass

SIGNS = {"INR": "\N{INDIAN RUPEE SIGN}", "USD": "$"}


@dataclass(frozen=True)
class Money:
    """`amount_minor` paise or cents of the ISO 4217 `currency`; both currencies taken here have two decimals."""

    amount_minor: int
    currency: str

    @property
    def text(self) -> str:
        """As people write it, `\N{INDIAN RUPEE SIGN}1,29,900` or `$16.50`: rupees are grouped the Indian way."""
        whole, fraction = divmod(self.amount_minor, 100)
        grouped = _indian(whole) if self.currency == "INR" else f"{whole:,}"
        return f"{SIGNS.get(self.currency, f'{self.currency} ')}{grouped}{f'.{fraction:02d}' if fraction else ''}"

    def __str__(self) -> str:
        """For papers and staff: `INR 1,299.00`."""
        return f"{self.currency} {self.amount_minor // 100:,}.{self.amount_minor % 100:02d}"


def _indian(whole: int) -> str:
    """Group the last three digits, and before them each two: lakh and crore."""
    head, tail = divmod(whole, 1000)
    if not head:
        return str(tail)
    groups = [f"{tail:03d}"]
    while head:
        head, pair = divmod(head, 100)
        groups.append(f"{pair:02d}" if head else str(pair))
    return ",".join(reversed(groups))
