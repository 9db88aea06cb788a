"""Whether the money that came is for what our row asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payments.states import Attention

if TYPE_CHECKING:
    from payments.gateways.base import Charge
    from payments.models import Payment


def difference(payment: Payment, charge: Charge) -> Attention:
    """Name the first thing by which a charge belongs elsewhere; what the gateway does not say passes.

    Amount and currency are compared by the payment itself, whenever it takes note of money.
    """
    compared = (
        (Attention.ORDER, charge.provider_order_id, payment.provider_order_id),
        (Attention.REFERENCE, charge.receipt, str(payment.id)),
        (Attention.MODE, charge.is_live, charge.is_live if payment.is_live is None else payment.is_live),
    )
    return next((reason for reason, said, ours in compared if said not in ("", None, ours)), Attention.NONE)
