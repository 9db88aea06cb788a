"""The shapes of the payment calls."""

from __future__ import annotations

from rest_framework import serializers

from mindfulqalb.api.fields import EmailAddress, PlainText
from mindfulqalb.catalogue.models import GATEWAY_OF_CURRENCY

CURRENCIES = sorted(GATEWAY_OF_CURRENCY)


class OrderRequestSerializer(serializers.Serializer[object]):
    """`POST /api/payments/create-order`. There is no amount to send: the catalogue has it."""

    sessionType = PlainText(max_length=50)
    format = PlainText(max_length=20, required=False, default=None, allow_null=True)
    currency = serializers.ChoiceField(choices=CURRENCIES, required=False, default="INR")


class OrderSerializer(serializers.Serializer[object]):
    """An order to pay in Razorpay's dialog; `amount` in paise or cents."""

    orderId = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    keyId = serializers.CharField()


class ReturnSerializer(serializers.Serializer[object]):
    """`POST /api/payments/verify`: what Razorpay's dialog handed to the browser."""

    razorpay_order_id = PlainText(max_length=64)
    razorpay_payment_id = PlainText(max_length=64)
    razorpay_signature = PlainText(max_length=256)


class VerifiedSerializer(serializers.Serializer[object]):
    """The payment is genuine and the money is here."""

    verified = serializers.BooleanField()
    paymentId = serializers.CharField()


class PayerSerializer(serializers.Serializer[object]):
    """Whom Stripe sends its receipt to."""

    email = EmailAddress()


class CheckoutRequestSerializer(serializers.Serializer[object]):
    """`POST /api/payments/create-checkout`."""

    sessionType = PlainText(max_length=50)
    format = PlainText(max_length=20, required=False, default=None, allow_null=True)
    currency = serializers.ChoiceField(choices=CURRENCIES, required=False, default="USD")
    customer = PayerSerializer()
    successUrl = serializers.URLField(max_length=2000)
    cancelUrl = serializers.URLField(max_length=2000)


class CheckoutSerializer(serializers.Serializer[object]):
    """A page of Stripe's to send the client to."""

    sessionId = serializers.CharField()
    url = serializers.CharField()
