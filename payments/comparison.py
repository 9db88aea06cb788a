"""Whether the money that came is for what our row asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.catalogue.queries import prices_asked
from payments.states import Attention

if TYPE_CHECKING:
    from payments.gateways.base import Charge
    from payments.models import Payment


def is_outdated(payment: Payment, charge: Charge) -> bool:
    """Whether somebody set about paying an order after its end, at a price that is no longer asked.

    Orders of Razorpay's never end by themselves: one kept from before would buy at its price for ever.
    """
    if charge.begun_at is None or charge.begun_at <= payment.expires_at:
        return False
    asked_now = prices_asked(code=payment.item, currency=payment.currency)
    return bool(asked_now) and payment.amount_minor not in asked_now


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
