"""Turn a session of the catalogue into an order at a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.catalogue.queries import find_offer, price_of
from payments.money import Money
from payments.services import Checkout, request_order, start_payment

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.catalogue.models import SessionOffer
    from payments.models import Payment

NO_CHECKOUT = Checkout()


def order_session(
    *,
    gateway: str,
    session_type: str,
    session_format: str | None,
    currency: str,
    now: datetime,
    checkout: Checkout = NO_CHECKOUT,
) -> Payment:
    """Make an order for a session without keeping a slot for it; the slot is taken when the booking is made.

    Raises UnknownSession, NothingToPay, NotSoldInCurrency, or ProviderError when the gateway does not answer.
    """
    offer = find_offer(session_type=session_type, session_format=session_format)
    payment = start_order(offer=offer, gateway=gateway, currency=currency, reference="", now=now)
    return request_order(payment=payment, title=offer.title, checkout=checkout)


def start_order(*, offer: SessionOffer, gateway: str, currency: str, reference: str, now: datetime) -> Payment:
    """Write down what an offer costs, before any gateway is asked."""
    price = price_of(offer=offer, currency=currency)
    return start_payment(
        gateway=gateway,
        item=offer.code,
        price=Money(price.amount_minor, price.currency),
        reference=reference,
        now=now,
    )
