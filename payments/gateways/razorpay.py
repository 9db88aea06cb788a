"""Razorpay: orders paid in a dialog on our page, in rupees. https://razorpay.com/docs/api/"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import certifi
import razorpay
import requests
from django.conf import settings
from razorpay.errors import BadRequestError, GatewayError, ServerError

from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.vendors.sessions import vendor_session
from mindfulqalb.webhooks.bodies import json_object
from mindfulqalb.webhooks.services import LONGEST_HEADER, InvalidWebhook, WebhookEvent, signature_matches
from payments.gateways.base import Charge, Order, OrderRequest
from payments.money import Money
from payments.states import PaymentState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STATES = {
    "created": PaymentState.PENDING,
    "authorized": PaymentState.PENDING,
    "captured": PaymentState.CAPTURED,
    "refunded": PaymentState.CAPTURED,  # the money was here; what went back is told by refund rows
    "failed": PaymentState.FAILED,
}
NO_SUCH_ID = "does not exist"


class RazorpayGateway:
    """Razorpay behind the gateway protocol."""

    name = "razorpay"

    def __init__(self, *, key_id: str, key_secret: str, webhook_secrets: list[str], base_url: str) -> None:
        """Make a client whose SDK traps are closed: our session (timeouts), our CA bundle, its blind retries off."""
        self.public_key = key_id
        self._key_secret = key_secret
        self._webhook_secrets = webhook_secrets
        self._client = razorpay.Client(session=vendor_session(), auth=(key_id, key_secret), base_url=base_url)
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
            "payment": {"capture": "automatic", "capture_options": {"refund_speed": "normal"}},
        }
        try:
            with _vendor_errors("create an order"):
                return Order(self._client.order.create(body)["id"])
        except ProviderError:
            return self._find_by_receipt(request.receipt)

    def collect(self, provider_order_id: str, price: Money) -> list[Charge]:
        """Fetch the order's payments. https://razorpay.com/docs/api/orders/fetch-payments/"""
        payments = self._payments_of(provider_order_id)
        if authorized := [payment for payment in payments if _is_authorized(payment, price)]:
            self._capture(authorized[0])
            payments = self._payments_of(provider_order_id)
        return [_charge(payment) for payment in payments]

    def find_order(self, provider_payment_id: str) -> str | None:
        """Fetch a payment for its order. https://razorpay.com/docs/api/payments/fetch-with-id/"""
        try:
            with _vendor_errors("fetch a payment"):
                order_id: str | None = self._client.payment.fetch(provider_payment_id).get("order_id")
        except ProviderError as error:
            if error.permanent and NO_SUCH_ID in str(error):
                return None
            raise
        return order_id

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
        event_type = json_object(text).get("event")
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

    def is_genuine_return(self, *, provider_order_id: str, provider_payment_id: str, signature: str) -> bool:
        """Check what the checkout dialog handed to the browser; `provider_order_id` must come from our own row.

        https://razorpay.com/docs/payments/payment-gateway/web-integration/standard/integration-steps/ It proves that
        the payment belongs to the order, and not that money has moved.
        """
        message = f"{provider_order_id}|{provider_payment_id}".encode()
        expected = hmac.new(self._key_secret.encode(), message, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))

    def _find_by_receipt(self, receipt: str) -> Order:
        # https://razorpay.com/docs/api/orders/fetch-all/
        with _vendor_errors("find an order by receipt"):
            found = self._client.order.all({"receipt": receipt})["items"]
        if not found:
            msg = "razorpay made no order"
            raise ProviderError(msg, permanent=False)
        return Order(found[0]["id"])

    def _payments_of(self, provider_order_id: str) -> list[dict[str, Any]]:
        with _vendor_errors("fetch an order's payments"):
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


def _is_authorized(payment: dict[str, Any], price: Money) -> bool:
    return payment["status"] == "authorized" and _charge(payment).paid == price


def _charge(payment: dict[str, Any]) -> Charge:
    return Charge(
        provider_payment_id=payment["id"],
        state=STATES.get(payment["status"], PaymentState.PENDING),
        paid=Money(payment["amount"], payment["currency"]),
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
