"""A browser that a payment dialog has sent back to us by itself, because no page of ours was there to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.api.errors import Refusal
from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.webhooks.bodies import json_object
from payments.models import Payment
from payments.return_urls import return_page
from payments.services import PROVIDER_ID, capture_payment, verify_return

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def settle_return(*, posted: Mapping[str, str], now: datetime) -> str:
    """Find out what came of a payment, and name the page to go on at.

    From the form that Razorpay has a browser post across sites.

    https://razorpay.com/docs/payments/payment-gateway/callback-url/ The form is only a hint: money is believed when the
    signature is right and the gateway says so, and a failure when the gateway says so. What cannot be known now, the
    webhook will tell. Without a signature anybody may be asking, and the payment's id is not named.
    """
    is_signed = "razorpay_signature" in posted
    try:
        return return_page(_signed(posted, now) if is_signed else _unsigned(posted, now), is_signed=is_signed)
    except (Refusal, ProviderError):
        return return_page(None, is_signed=is_signed)


def _signed(posted: Mapping[str, str], now: datetime) -> Payment:
    return verify_return(
        provider_order_id=posted.get("razorpay_order_id", ""),
        provider_payment_id=posted.get("razorpay_payment_id", ""),
        signature=posted["razorpay_signature"],
        now=now,
    )


def _unsigned(posted: Mapping[str, str], now: datetime) -> Payment | None:
    return _look_again(json_object(posted.get("error[metadata]", "")).get("order_id"), now)


def _look_again(order_id: object, now: datetime) -> Payment | None:
    if not isinstance(order_id, str) or not PROVIDER_ID.fullmatch(order_id):
        return None
    payment = Payment.objects.filter(gateway="razorpay", provider_order_id=order_id, duplicate_of=None).first()
    return payment and capture_payment(payment_id=payment.id, now=now)
