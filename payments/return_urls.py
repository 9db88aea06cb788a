"""Where a client comes back to from a gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from django.conf import settings

from mindfulqalb.api.errors import Refusal
from payments.states import PaymentState

if TYPE_CHECKING:
    from payments.models import Payment

SESSION_MARK = "{CHECKOUT_SESSION_ID}"


class ForeignReturnUrl(Refusal):
    """A return address outside the allowed origins would make us an open redirect."""

    code = "invalid_input"
    status = 400
    sentence = "The return address is not one of ours."


def own_return_url(url: str, *, field: str) -> str:
    """Let through an http(s) address on an allowed origin. Raises ForeignReturnUrl naming the field."""
    allowed = {settings.SITE_URL, *settings.CHECKOUT_RETURN_ORIGINS, *settings.CORS_ALLOWED_ORIGINS}
    if _origin(url) not in allowed or "\\" in url:
        raise ForeignReturnUrl(fields={field: ["This address is not allowed here."]})
    return url


def success_url_of(url: str, *, field: str = "successUrl") -> str:
    """Add the mark that Stripe fills in with the session's id, unless the address carries it."""
    own = own_return_url(url, field=field)
    if SESSION_MARK in own:
        return own
    base, hash_sign, fragment = own.partition("#")
    joint = "&" if "?" in base else "?"
    return f"{base}{joint}session_id={SESSION_MARK}{hash_sign}{fragment}"


def return_page(payment: Payment | None, *, is_signed: bool) -> str:
    """Name the place on our booking page that goes on after Razorpay's dialog; None is a payment not settled yet.

    The payment's id can buy a session: only who shows Razorpay's signature is told it.
    """
    if payment is not None and payment.is_captured:
        query = {"paid": "razorpay", "order_id": payment.provider_order_id or ""}
        if is_signed:
            query["payment_id"] = payment.provider_payment_id or ""
    elif payment is not None and payment.state in {PaymentState.FAILED, PaymentState.CREATED}:
        query = {"cancelled": "razorpay"}
    else:
        query = {"returned": "razorpay"}
    return f"/?{urlencode(query)}"


def _origin(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket without its pair, or characters that turn into others
        return None
    return f"{parts.scheme}://{parts.netloc}"
