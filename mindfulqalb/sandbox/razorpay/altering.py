"""The faults that change what an answer says about money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox import faults

if TYPE_CHECKING:
    from mindfulqalb.sandbox.store import Record


def altered(shown: dict[str, Any], struck: list[Record]) -> dict[str, Any]:
    """Return the entity with the amount and currency that a fault wants it to show."""
    amount, currency = faults.find(struck, "amount_altered"), faults.find(struck, "currency_altered")
    if amount:
        shown = {**shown, "amount": int(amount["amount"])}
    if currency:
        shown = {**shown, "currency": currency["currency"]}
    return shown
