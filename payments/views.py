"""`/api/payments/...` and the gateways' webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import FormParser
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from mindfulqalb.api.throttles import AddressThrottle, EmailThrottle
from mindfulqalb.idempotency.views import IDEMPOTENCY_KEY, idempotent
from payments.gateways import gateway_named
from payments.orders import order_session
from payments.return_urls import own_return_url, success_url_of
from payments.returns import settle_return
from payments.serializers import (
    CheckoutRequestSerializer,
    CheckoutSerializer,
    OrderRequestSerializer,
    OrderSerializer,
    ReturnSerializer,
    VerifiedSerializer,
)
from payments.services import Checkout, receive_webhook, verify_return

if TYPE_CHECKING:
    from rest_framework.request import Request


class PaymentViewSet(ViewSet):
    """Orders at the gateways, at the catalogue's price."""

    throttle_classes = (AddressThrottle, EmailThrottle)
    throttle_scope = "payment"

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=OrderRequestSerializer,
        responses=OrderSerializer,
        extensions={"x-refusals": ["409"]},
    )
    @action(detail=False, methods=["post"], url_path="create-order")
    @idempotent
    def create_order(self, request: Request) -> Response:
        """Make a Razorpay order."""
        asked = OrderRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        payment = order_session(
            gateway="razorpay",
            session_type=data["sessionType"],
            session_format=data["format"],
            currency=data["currency"],
            now=timezone.now(),
        )
        return Response(
            {
                "orderId": payment.provider_order_id,
                "amount": payment.amount_minor,
                "currency": payment.currency,
                "keyId": gateway_named("razorpay").public_key,
            }
        )

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=CheckoutRequestSerializer,
        responses=CheckoutSerializer,
        extensions={"x-refusals": ["409"]},
    )
    @action(detail=False, methods=["post"], url_path="create-checkout")
    @idempotent
    def create_checkout(self, request: Request) -> Response:
        """Make a Stripe Checkout Session."""
        asked = CheckoutRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = asked.validated_data
        payment = order_session(
            gateway="stripe",
            session_type=data["sessionType"],
            session_format=data["format"],
            currency=data["currency"],
            checkout=Checkout(
                payer_email=data["customer"]["email"],
                success_url=success_url_of(data["successUrl"]),
                cancel_url=own_return_url(data["cancelUrl"], field="cancelUrl"),
            ),
            now=timezone.now(),
        )
        return Response({"sessionId": payment.provider_order_id, "url": payment.checkout_url})

    @extend_schema(
        request=ReturnSerializer,
        responses=VerifiedSerializer,
        extensions={"x-refusals": ["402", "409"]},
    )
    @action(detail=False, methods=["post"])
    def verify(self, request: Request) -> Response:
        """Verify what Razorpay's dialog handed to the browser."""
        asked = ReturnSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        payment = verify_return(
            provider_order_id=asked.validated_data["razorpay_order_id"],
            provider_payment_id=asked.validated_data["razorpay_payment_id"],
            signature=asked.validated_data["razorpay_signature"],
            now=timezone.now(),
        )
        return Response({"verified": True, "paymentId": payment.provider_payment_id})


class RazorpayReturnViewSet(ViewSet):
    """Where Razorpay sends a browser whose dialog could not call our page: a form of another site's, with no cookie."""

    throttle_classes = (AddressThrottle,)
    throttle_scope = "payment"
    parser_classes = (FormParser,)

    @extend_schema(exclude=True)
    def create(self, request: Request) -> HttpResponseRedirect:
        """Send the browser on to the booking page, wherever the form would have it go."""
        page = settle_return(posted=request.POST, now=timezone.now())
        return HttpResponseRedirect(page, status=status.HTTP_303_SEE_OTHER)


class GatewayWebhookViewSet(ViewSet):
    """Deliveries of Razorpay and Stripe: checked on the raw body, stored once, answered; the work happens later."""

    throttle_classes = (AddressThrottle,)
    throttle_scope = "webhook"
    parser_classes = ()

    @extend_schema(exclude=True)
    def create(self, request: Request, gateway: str) -> Response:
        """Store one delivery."""
        raw = request._request  # noqa: SLF001  the signature is over the bytes, and DRF would parse them
        receive_webhook(gateway=gateway, body=raw.body, headers=raw.headers, now=timezone.now())
        return Response({"received": True}, status=status.HTTP_200_OK)
