"""The routes of payments."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from payments.views import GatewayWebhookViewSet, PaymentViewSet, RazorpayReturnViewSet

router = SimpleRouter(trailing_slash=False)
router.register("payments", PaymentViewSet, basename="payment")

webhook = GatewayWebhookViewSet.as_view({"post": "create"})

urlpatterns = [
    *router.urls,
    path("payments/razorpay-return", RazorpayReturnViewSet.as_view({"post": "create"}), name="razorpay-return"),
    path("webhooks/razorpay", webhook, {"gateway": "razorpay"}, name="webhook-razorpay"),
    path("webhooks/stripe", webhook, {"gateway": "stripe"}, name="webhook-stripe"),
]
