"""A browser that a payment dialog has sent back to us by itself, because no page of ours was there to be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mindfulqalb.api.errors import Refusal
from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.webhooks.bodies import json_object
from payments.models import Payment
from payments.services import PROVIDER_ID, capture_payment, verify_return

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def settle_return(*, posted: Mapping[str, str], now: datetime) -> Payment | None:
    """Find out what came of a payment, from the form that Razorpay has a browser post across sites.

    https://razorpay.com/docs/payments/payment-gateway/callback-url/ The form is only a hint: money is believed when the
    signature is right and the gateway says so, and a failure when the gateway says so. None stands for what cannot be
    known now; the webhook will tell.
    """
    try:
        if "razorpay_signature" in posted:
            return verify_return(
                provider_order_id=posted.get("razorpay_order_id", ""),
                provider_payment_id=posted.get("razorpay_payment_id", ""),
                signature=posted["razorpay_signature"],
                now=now,
            )
        return _look_again(json_object(posted.get("error[metadata]", "")).get("order_id"), now)
    except (Refusal, ProviderError):
        return None


def _look_again(order_id: object, now: datetime) -> Payment | None:
    if not isinstance(order_id, str) or not PROVIDER_ID.fullmatch(order_id):
        return None
    payment = Payment.objects.filter(gateway="razorpay", provider_order_id=order_id, duplicate_of=None).first()
    return payment and capture_payment(payment_id=payment.id, now=now)
