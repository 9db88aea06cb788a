"""Stripe: Checkout Sessions paid on Stripe's own page, in dollars. https://docs.stripe.com/api"""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import stripe
from django.conf import settings

from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.vendors.sessions import vendor_session
from mindfulqalb.webhooks.bodies import json_object
from mindfulqalb.webhooks.services import LONGEST_HEADER, InvalidWebhook, WebhookEvent
from payments.gateways.base import Charge, GatewayDispute, GatewayRefund, Order, OrderRequest, RefundRequest
from payments.money import Money
from payments.states import DisputeState, PaymentState, RefundState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Stripe refuses sessions that end within half an hour of their making. The rest is for a request that is repeated: it
# must name the same end under the same idempotency key, so that is reckoned from when our row was made, not from now.
SHORTEST_SESSION = timedelta(minutes=30)
TIME_TO_REPEAT = timedelta(minutes=5)
SIGNATURE_AGE_SECONDS = 300
NO_LONGER_PAYING = ("requires_payment_method", "canceled")
REFUND_STATES = {
    "succeeded": RefundState.PROCESSED,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
MOST_REFUNDS = 100
# A warning that is closed, or a dispute that was prevented, took no money. What is new to us is taken for undecided.
DISPUTE_STATES = {
    "under_review": DisputeState.UNDER_REVIEW,
    "warning_under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "lost": DisputeState.LOST,
}
DISPUTE_ID = re.compile("(du|dp)_[A-Za-z0-9]+")
MOST_DISPUTES = 100


class StripeGateway:
    """Stripe behind the gateway protocol."""

    name = "stripe"
    public_key = ""

    def __init__(self, *, secret_key: str, webhook_secrets: list[str], base_url: str) -> None:
        """Make a client on our session; the SDK's own default would wait 80 seconds."""
        self._webhook_secrets = webhook_secrets
        self.is_live = "_live_" in secret_key
        # The SDK repeats a call once, under its idempotency key; a session that repeats as well would triple each try.
        http_client = stripe.RequestsClient(timeout=settings.VENDOR_TIMEOUT, session=vendor_session(get_retries=0))
        self._client = stripe.StripeClient(
            secret_key, http_client=http_client, base_addresses={"api": base_url}, max_network_retries=1
        )

    @classmethod
    def from_settings(cls) -> StripeGateway:
        """Make the gateway that the settings describe."""
        return cls(
            secret_key=settings.STRIPE_SECRET_KEY,
            webhook_secrets=[settings.STRIPE_WEBHOOK_SECRET, *settings.STRIPE_WEBHOOK_SECRET_FALLBACKS],
            base_url=settings.STRIPE_API_URL,
        )

    def create_order(self, request: OrderRequest) -> Order:
        """Create a Checkout Session, one per receipt: a repeated request is answered with the first one's session.

        https://docs.stripe.com/api/checkout/sessions/create
        """
        with _vendor_errors("create a checkout session"):
            session = self._client.v1.checkout.sessions.create(
                params=_session_params(request),  # type: ignore[arg-type]
                options={"idempotency_key": f"checkout:{request.receipt}"},
            )
            return Order(session.id, session.url or "")

    def collect(self, provider_order_id: str, price: Money) -> list[Charge]:
        """Fetch the session, which may be complete and unpaid: some methods take days, and only the intent tells why.

        https://docs.stripe.com/api/checkout/sessions/retrieve
        """
        with _vendor_errors("fetch a checkout session"):
            session = self._client.v1.checkout.sessions.retrieve(
                provider_order_id, params={"expand": ["payment_intent"]}
            )
            return _charges(session)

    def close_order(self, provider_order_id: str) -> bool:
        """Expire the session. https://docs.stripe.com/api/checkout/sessions/expire

        Stripe lets it live for half an hour at least, longer than a slot is kept. One that is complete cannot be
        expired: that is money, and no failure.
        """
        try:
            with _vendor_errors("expire a checkout session"):
                self._client.v1.checkout.sessions.expire(provider_order_id)
        except ProviderError as error:
            if not error.permanent:
                raise
            with _vendor_errors("fetch a checkout session"):
                return self._client.v1.checkout.sessions.retrieve(provider_order_id).status == "expired"
        return True

    def find_order(self, provider_payment_id: str) -> str | None:
        """Find a payment intent's session. https://docs.stripe.com/api/checkout/sessions/list"""
        with _vendor_errors("find a checkout session"):
            try:
                found = self._client.v1.checkout.sessions.list(params={"payment_intent": provider_payment_id}).data
            except stripe.InvalidRequestError as error:
                if error.code == "resource_missing":
                    return None
                raise
            return found[0].id if found else None

    def payer_email(self, provider_payment_id: str) -> str:
        """Find a payment intent's session for its customer. https://docs.stripe.com/api/checkout/sessions/list"""
        with _vendor_errors("find a checkout session"):
            found = self._client.v1.checkout.sessions.list(params={"payment_intent": provider_payment_id}).data
        customer = found[0].customer_details if found else None
        return (customer.email if customer else None) or ""

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """Check and read a delivery. https://docs.stripe.com/webhooks/signature"""
        signature = headers.get("Stripe-Signature", "")
        if not 0 < len(signature) <= LONGEST_HEADER:
            raise InvalidWebhook
        text = body.decode("utf-8", "replace")
        if not any(_is_signed(text, signature, secret) for secret in self._webhook_secrets if secret):
            raise InvalidWebhook
        event = json_object(text)
        if not isinstance(event.get("id"), str) or not isinstance(event.get("type"), str):
            raise InvalidWebhook
        return WebhookEvent(self.name, event["id"][:255], event["type"], text)

    def order_of_webhook(self, body: str) -> str | None:
        """Name the session that a `checkout.session.*` event is about, or the payment intent of any other."""
        entity = _entity(body)
        if entity.get("object") == "checkout.session":
            return str(entity.get("id"))
        intent = entity.get("payment_intent")
        return intent if isinstance(intent, str) else None

    def refund(self, request: RefundRequest) -> GatewayRefund:
        """Refund a payment intent. https://docs.stripe.com/api/refunds/create"""
        with _vendor_errors("refund a payment"):
            made = self._client.v1.refunds.create(
                params={
                    "payment_intent": request.provider_payment_id,
                    "amount": request.amount.amount_minor,
                    "metadata": {"refund": request.key},
                },
                options={"idempotency_key": f"refund:{request.key}"},
            )
            return _refund(made)

    def refunds(self, provider_payment_id: str) -> list[GatewayRefund]:
        """List a payment intent's refunds. https://docs.stripe.com/api/refunds/list"""
        with _vendor_errors("list refunds"):
            found = self._client.v1.refunds.list(params={"payment_intent": provider_payment_id, "limit": MOST_REFUNDS})
            return [_refund(item) for item in found.data]

    def dispute_of_webhook(self, body: str) -> str | None:
        """Name the dispute of a `charge.dispute.*` event."""
        entity = _entity(body)
        found = entity.get("id") if entity.get("object") == "dispute" else None
        return found if isinstance(found, str) and DISPUTE_ID.fullmatch(found) else None

    def dispute(self, provider_dispute_id: str) -> GatewayDispute:
        """Fetch a dispute. https://docs.stripe.com/api/disputes/retrieve"""
        with _vendor_errors("fetch a dispute"):
            return _dispute(self._client.v1.disputes.retrieve(provider_dispute_id))

    def disputes(self) -> list[GatewayDispute]:
        """List disputes, newest first. https://docs.stripe.com/api/disputes/list"""
        with _vendor_errors("list disputes"):
            return [_dispute(item) for item in self._client.v1.disputes.list(params={"limit": MOST_DISPUTES}).data]


def _entity(body: str) -> dict[str, Any]:
    data = json_object(body).get("data")
    entity = data.get("object") if isinstance(data, dict) else None
    return entity if isinstance(entity, dict) else {}


def _session_params(request: OrderRequest) -> dict[str, Any]:
    ends_at = max(request.expires_at, request.asked_at + SHORTEST_SESSION + TIME_TO_REPEAT)
    line = {
        "quantity": 1,
        "price_data": {
            "currency": request.price.currency.lower(),
            "unit_amount": request.price.amount_minor,
            # Stripe prints it on receipts and card statements: nothing clinical.
            "product_data": {"name": request.description},
        },
    }
    # Stripe does not copy the session's metadata to the payment intent.
    params = {
        "mode": "payment",
        "client_reference_id": request.receipt,
        "metadata": {"payment": request.receipt},
        "payment_intent_data": {"metadata": {"payment": request.receipt}, "description": request.description},
        "billing_address_collection": "required",  # Indian accounts may not charge abroad without it
        "adaptive_pricing": {"enabled": False},
        "expires_at": int(ends_at.timestamp()),
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "line_items": [line],
    }
    return params | ({"customer_email": request.payer_email} if request.payer_email else {})


def _charges(session: stripe.checkout.Session) -> list[Charge]:
    intent = session.payment_intent
    if intent is None or session.status == "open":
        return []
    paid = Money(session.amount_total or 0, (session.currency or "").upper())
    return [
        Charge(
            intent if isinstance(intent, str) else intent.id,
            _state(session),
            paid,
            provider_order_id=session.id,
            receipt=session.client_reference_id or "",
            is_live=session.livemode,
        )
    ]


def _state(session: stripe.checkout.Session) -> PaymentState:
    if session.payment_status != "unpaid":
        return PaymentState.CAPTURED
    # A session that is not open takes no second attempt.
    intent = session.payment_intent
    has_failed = isinstance(intent, stripe.PaymentIntent) and intent.status in NO_LONGER_PAYING
    return PaymentState.FAILED if has_failed or session.status == "expired" else PaymentState.PENDING


def _refund(refund: stripe.Refund) -> GatewayRefund:
    metadata = refund.to_dict().get("metadata") or {}
    return GatewayRefund(
        provider_refund_id=refund.id,
        state=REFUND_STATES.get(refund.status or "", RefundState.PENDING),
        amount=Money(refund.amount, refund.currency.upper()),
        key=str(metadata.get("refund", "")),
    )


def _dispute(dispute: stripe.Dispute) -> GatewayDispute:
    answer_by = dispute.evidence_details.due_by
    intent = dispute.payment_intent
    return GatewayDispute(
        provider_dispute_id=dispute.id,
        provider_payment_id=intent.id if isinstance(intent, stripe.PaymentIntent) else intent or "",
        state=DISPUTE_STATES.get(dispute.status, DisputeState.OPEN),
        amount=Money(dispute.amount, dispute.currency.upper()),
        reason=dispute.reason[:100],
        answer_by=datetime.fromtimestamp(answer_by, UTC) if answer_by else None,
    )


def _is_signed(text: str, signature: str, secret: str) -> bool:
    # The SDK lets other errors through for signatures that are not ASCII.
    try:
        stripe.WebhookSignature.verify_header(text, signature, secret, tolerance=SIGNATURE_AGE_SECONDS)
    except (ValueError, TypeError, stripe.SignatureVerificationError):
        return False
    return True


@contextmanager
def _vendor_errors(what: str) -> Iterator[None]:
    """Turn everything that the SDK lets through into ProviderError."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        raise ProviderError(f"stripe refused to {what}: {error.code}", permanent=True) from error
    except stripe.StripeError as error:
        # A refused key too: while it is being changed nothing is decided, and people mend it.
        raise ProviderError(f"stripe failed to {what}: {type(error).__name__}", permanent=False) from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ProviderError(f"stripe answered oddly when asked to {what}", permanent=False) from error
