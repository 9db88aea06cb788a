"""Razorpay: orders paid in a dialog on our page, in rupees. https://razorpay.com/docs/api/"""

from __future__ import annotations

import hashlib
import hmac
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import certifi
import razorpay
import requests
from django.conf import settings
from django.utils import timezone
from razorpay.errors import BadRequestError, GatewayError, ServerError

from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.vendors.sessions import vendor_session
from mindfulqalb.webhooks.bodies import json_object
from mindfulqalb.webhooks.services import LONGEST_HEADER, InvalidWebhook, WebhookEvent, signature_matches
from payments.gateways.base import Charge, GatewayDispute, GatewayRefund, Order, OrderRequest, RefundRequest
from payments.money import Money
from payments.states import DisputeState, PaymentState, RefundState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STATES = {
    "created": PaymentState.PENDING,
    "authorized": PaymentState.PENDING,
    "captured": PaymentState.CAPTURED,
    "refunded": PaymentState.CAPTURED,  # the money was here; what went back is told by refund rows
    "failed": PaymentState.FAILED,
}
REFUND_STATES = {"processed": RefundState.PROCESSED, "failed": RefundState.FAILED}
# Razorpay closes a suspicion of fraud without taking money. What is new to us is taken for undecided.
DISPUTE_STATES = {
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "closed": DisputeState.WON,
    "lost": DisputeState.LOST,
}
DISPUTE_ID = re.compile("disp_[A-Za-z0-9]+")
MOST_DISPUTES = 100
SHORTEST_CAPTURE_MINUTES, LONGEST_CAPTURE_MINUTES = 12, 7200
MOST_REFUNDS = 100  # the page size that Razorpay allows; more partial refunds of one session do not happen
NO_SUCH_ID = ("does not exist", "not a valid id")
# Too many requests; the same refund is under way at this moment; a key that is being changed, which people mend.
ASK_AGAIN = (429, 409, 401, 403)

# What it fills in where the checkout asks for no email.
NO_EMAIL = "void@razorpay.com"


class RazorpayGateway:
    """Razorpay behind the gateway protocol."""

    name = "razorpay"

    def __init__(self, *, key_id: str, key_secret: str, webhook_secrets: list[str], base_url: str) -> None:
        """Make a client whose SDK traps are closed: our session (timeouts), our CA bundle, its blind retries off."""
        self.public_key = key_id
        self.is_live = key_id.startswith("rzp_live_")
        self._key_secret = key_secret
        self._webhook_secrets = webhook_secrets
        session = vendor_session()
        session.hooks["response"].append(_note_passing_refusal)
        self._client = razorpay.Client(session=session, auth=(key_id, key_secret), base_url=base_url)
        # The SDK ships certificates of 2015 and passes them on every call.
        self._client.cert_path = certifi.where()

    @classmethod
    def from_settings(cls) -> RazorpayGateway:
        """Make the gateway that the settings describe."""
        return cls(
            key_id=settings.RAZORPAY_KEY_ID,
            key_secret=settings.RAZORPAY_KEY_SECRET,
            webhook_secrets=[settings.RAZORPAY_WEBHOOK_SECRET, *settings.RAZORPAY_WEBHOOK_SECRET_FALLBACKS],
            base_url=settings.RAZORPAY_API_URL,
        )

    def create_order(self, request: OrderRequest) -> Order:
        """Create an order, or find the one that an unanswered call made.

        https://razorpay.com/docs/api/orders/create/ There is no idempotency key: the receipt is asked for after a
        failure.
        """
        body = {
            "amount": request.price.amount_minor,
            "currency": request.price.currency,
            "receipt": request.receipt,
            "notes": {"payment": request.receipt},
            "payment": {"capture": "automatic", "capture_options": _capture_options(request.expires_at)},
        }
        try:
            with _vendor_errors("create an order"):
                return Order(self._client.order.create(body)["id"])
        except ProviderError:
            found = self._find_by_receipt(request.receipt)
            if found is None:
                raise
            return found

    def collect(self, provider_order_id: str, price: Money) -> list[Charge]:
        """Fetch the order's payments. https://razorpay.com/docs/api/orders/fetch-payments/"""
        with _vendor_errors("fetch an order's payments"):
            payments = self._payments_of(provider_order_id)
            if authorized := _to_capture(payments, price):
                self._capture(authorized)
                payments = self._payments_of(provider_order_id)
            # An attempt does not say its mode: the key that may read it does.
            return [replace(_charge(payment), is_live=self.is_live) for payment in payments]

    def close_order(self, provider_order_id: str) -> bool:
        """Do nothing: a Razorpay order never ends, so money may come late and is then placed or sent back."""
        return False

    def find_order(self, provider_payment_id: str) -> str | None:
        """Fetch a payment for its order. https://razorpay.com/docs/api/payments/fetch-with-id/"""
        try:
            with _vendor_errors("fetch a payment"):
                order_id: str | None = self._client.payment.fetch(provider_payment_id).get("order_id")
        except ProviderError as error:
            if error.permanent and any(sentence in str(error) for sentence in NO_SUCH_ID):
                return None
            raise
        return order_id

    def payer_email(self, provider_payment_id: str) -> str:
        """Fetch a payment for its payer. https://razorpay.com/docs/api/payments/fetch-with-id/"""
        with _vendor_errors("fetch a payment"):
            email = str(self._client.payment.fetch(provider_payment_id).get("email") or "")
        return "" if email == NO_EMAIL else email

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """Check and read a delivery. https://razorpay.com/docs/webhooks/validate-test/

        The event id stands outside the signature: it only filters repeats, it proves nothing.
        """
        signature = headers.get("X-Razorpay-Signature", "")
        event_id = headers.get("X-Razorpay-Event-Id", "")
        if not 0 < len(signature) <= LONGEST_HEADER or len(event_id) > LONGEST_HEADER:
            raise InvalidWebhook
        if not signature_matches(body=body, signature=signature, secrets=self._webhook_secrets):
            raise InvalidWebhook
        text = body.decode("utf-8", "replace")
        event = json_object(text)
        if not event or text.encode() != body:
            raise InvalidWebhook
        event_type = event.get("event")
        # Long or missing ids are replaced by the body's own digest: a repeated body is a repeated event.
        known = event_id if 0 < len(event_id) <= 200 else hashlib.sha256(body).hexdigest()  # noqa: PLR2004
        return WebhookEvent(self.name, known, event_type if isinstance(event_type, str) else "unknown", text)

    def order_of_webhook(self, body: str) -> str | None:
        """Name the order: in the payment for payment events, in the order for order.paid."""
        payload = json_object(body).get("payload")
        entities = payload if isinstance(payload, dict) else {}
        for kind, key in (("payment", "order_id"), ("order", "id")):
            entity = entities.get(kind)
            if isinstance(entity, dict) and isinstance(entity.get("entity"), dict) and entity["entity"].get(key):
                return str(entity["entity"][key])
        return None

    def refund(self, request: RefundRequest) -> GatewayRefund:
        """Refund a captured payment. https://razorpay.com/docs/api/refunds/normal-refunds-idempotent/"""
        # Fresh on every call: the SDK writes into the dict it is given.
        body = {
            "amount": request.amount.amount_minor,
            "speed": "normal",
            "receipt": request.key,
            "notes": {"refund": request.key},
        }
        headers = {"X-Refund-Idempotency": request.key}
        with _vendor_errors("refund a payment"):
            return _refund(self._client.payment.refund(request.provider_payment_id, body, headers=headers))

    def refunds(self, provider_payment_id: str) -> list[GatewayRefund]:
        """List a payment's refunds. https://razorpay.com/docs/api/refunds/fetch-multiple-refund-payment/"""
        with _vendor_errors("list refunds"):
            found = self._client.payment.fetch_multiple_refund(provider_payment_id, {"count": MOST_REFUNDS})
            return [_refund(item) for item in found["items"]]

    def dispute_of_webhook(self, body: str) -> str | None:
        """Name the dispute of a `payment.dispute.*` event. https://razorpay.com/docs/webhooks/disputes/"""
        payload = json_object(body).get("payload")
        told = payload.get("dispute") if isinstance(payload, dict) else None
        entity = told.get("entity") if isinstance(told, dict) else None
        found = entity.get("id") if isinstance(entity, dict) else None
        return found if isinstance(found, str) and DISPUTE_ID.fullmatch(found) else None

    def dispute(self, provider_dispute_id: str) -> GatewayDispute:
        """Fetch a dispute. https://razorpay.com/docs/api/disputes/fetch-with-id/"""
        with _vendor_errors("fetch a dispute"):
            return _dispute(self._client.dispute.fetch(provider_dispute_id))

    def disputes(self) -> list[GatewayDispute]:
        """List disputes, newest first. https://razorpay.com/docs/api/disputes/fetch-all/"""
        with _vendor_errors("list disputes"):
            return [_dispute(item) for item in self._client.dispute.all({"count": MOST_DISPUTES})["items"]]

    def is_genuine_return(self, *, provider_order_id: str, provider_payment_id: str, signature: str) -> bool:
        """Check what the checkout dialog handed to the browser; `provider_order_id` must come from our own row.

        https://razorpay.com/docs/payments/payment-gateway/web-integration/standard/integration-steps/ It proves that
        the payment belongs to the order, and not that money has moved.
        """
        message = f"{provider_order_id}|{provider_payment_id}".encode()
        expected = hmac.new(self._key_secret.encode(), message, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))

    def _find_by_receipt(self, receipt: str) -> Order | None:
        # https://razorpay.com/docs/api/orders/fetch-all/
        with _vendor_errors("find an order by receipt"):
            items = self._client.order.all({"receipt": receipt})["items"]
            return next((Order(order["id"]) for order in items if order["receipt"] == receipt), None)

    def _payments_of(self, provider_order_id: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._client.order.payments(provider_order_id)["items"]
        return items

    def _capture(self, payment: dict[str, Any]) -> None:
        # https://razorpay.com/docs/api/payments/capture/ The dict is fresh: the SDK writes into its default argument.
        try:
            with _vendor_errors("capture a payment"):
                self._client.payment.capture(payment["id"], payment["amount"], {"currency": payment["currency"]})
        except ProviderError:
            # Refused most often because it is captured already; the caller reads the state again and believes only
            # that.
            return


def _capture_options(expires_at: datetime) -> dict[str, Any]:
    """Have money of within our hold captured, and later money given back by Razorpay, whatever its dashboard says.

    https://razorpay.com/docs/payments/payments/capture-settings/api/
    """
    minutes = -((timezone.now() - expires_at) // timedelta(minutes=1))  # begun minutes count
    period = min(max(minutes, SHORTEST_CAPTURE_MINUTES), LONGEST_CAPTURE_MINUTES)
    return {"automatic_expiry_period": period, "manual_expiry_period": period, "refund_speed": "normal"}


def _to_capture(payments: list[dict[str, Any]], price: Money) -> dict[str, Any] | None:
    """Choose what to take: one authorization for the price, and none once an order is paid."""
    charges = [_charge(payment) for payment in payments]
    if any(charge.state == PaymentState.CAPTURED for charge in charges):
        return None
    authorized = (payment for payment in payments if payment["status"] == "authorized")
    return next((payment for payment in authorized if _charge(payment).paid == price), None)


def _charge(payment: dict[str, Any]) -> Charge:
    state = STATES.get(payment["status"], PaymentState.PENDING)
    if payment["status"] == "refunded" and payment.get("captured") is False:
        state = PaymentState.FAILED  # an authorization that nobody took: Razorpay let go of it by itself
    paid = Money(payment["amount"], payment["currency"])
    order_id = payment.get("order_id") or ""
    begun_at = payment.get("created_at")
    return Charge(
        payment["id"],
        state,
        paid,
        provider_order_id=order_id,
        receipt=_note(payment, "payment"),
        begun_at=datetime.fromtimestamp(begun_at, UTC) if isinstance(begun_at, int) else None,
    )


def _note_passing_refusal(response: requests.Response, *_args: object, **_kwargs: object) -> None:
    # The SDK hides the status, and the body has the code of a request that is wrong for good.
    if response.status_code in ASK_AGAIN:
        response.close()
        raise ProviderError(f"razorpay wants to be asked later ({response.status_code})", permanent=False)


def _refund(refund: dict[str, Any]) -> GatewayRefund:
    return GatewayRefund(
        provider_refund_id=refund["id"],
        state=REFUND_STATES.get(refund["status"], RefundState.PENDING),
        amount=Money(refund["amount"], refund["currency"]),
        key=_note(refund, "refund"),
    )


def _note(entity: dict[str, Any], name: str) -> str:
    # Empty notes come as a list.
    notes = entity["notes"] if isinstance(entity.get("notes"), dict) else {}
    return str(notes.get(name, ""))


def _dispute(dispute: dict[str, Any]) -> GatewayDispute:
    state = DISPUTE_STATES.get(dispute["status"], DisputeState.OPEN)
    # Of a lost one, what was really deducted.
    amount = (dispute.get("amount_deducted") if state == DisputeState.LOST else None) or dispute["amount"]
    answer_by = dispute.get("respond_by")
    return GatewayDispute(
        provider_dispute_id=dispute["id"],
        provider_payment_id=dispute["payment_id"],
        state=state,
        amount=Money(amount, dispute["currency"]),
        reason=str(dispute.get("reason_code") or "")[:100],
        answer_by=datetime.fromtimestamp(answer_by, UTC) if answer_by else None,
    )


@contextmanager
def _vendor_errors(what: str) -> Iterator[None]:
    """Turn everything that the SDK lets through into ProviderError."""
    try:
        yield
    except BadRequestError as error:
        raise ProviderError(f"razorpay refused to {what}: {error}", permanent=True) from error
    except (GatewayError, ServerError) as error:
        raise ProviderError(f"razorpay failed to {what}: {type(error).__name__}", permanent=False) from error
    except (requests.RequestException, ValueError) as error:
        raise ProviderError(f"razorpay did not {what}: {type(error).__name__}", permanent=False) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ProviderError(f"razorpay answered oddly when asked to {what}", permanent=False) from error
