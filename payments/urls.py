"""The routes of payments."""

from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from payments.views import GatewayWebhookViewSet, PaymentViewSet

router = SimpleRouter(trailing_slash=False)
router.register("payments", PaymentViewSet, basename="payment")

webhook = GatewayWebhookViewSet.as_view({"post": "create"})

urlpatterns = [
    *router.urls,
    path("webhooks/razorpay", webhook, {"gateway": "razorpay"}, name="webhook-razorpay"),
    path("webhooks/stripe", webhook, {"gateway": "stripe"}, name="webhook-stripe"),
]
