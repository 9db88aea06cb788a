"""The gateways by name."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from payments.gateways.razorpay import RazorpayGateway
from payments.gateways.stripe import StripeGateway

if TYPE_CHECKING:
    from collections.abc import Callable

    from payments.gateways.base import PaymentGateway

REGISTRY: dict[str, Callable[[], PaymentGateway]] = {
    "razorpay": RazorpayGateway.from_settings,
    "stripe": StripeGateway.from_settings,
}
GATEWAY_OF_PREFIX = {"pay": "razorpay", "pi": "stripe", "cs": "stripe"}


@cache
def gateway_named(name: str) -> PaymentGateway:
    """Return the gateway, made once per process from the settings."""
    return REGISTRY[name]()
