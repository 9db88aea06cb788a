"""What the outbox brings to payments."""

from __future__ import annotations

from uuid import UUID

from mindfulqalb.outbox.registry import Delivery, handles
from mindfulqalb.webhooks.models import WebhookDelivery
from mindfulqalb.webhooks.services import mark_processed
from payments.reconciliation import apply_webhook
from payments.refunds import send_refund
from payments.services import abandon_orders


@handles("webhook.razorpay")
@handles("webhook.stripe")
def work_on_webhook(delivery: Delivery) -> None:
    """Ask the gateway about the order that a stored delivery names."""
    stored = WebhookDelivery.objects.get(id=UUID(delivery.payload["delivery_id"]))
    payment = apply_webhook(gateway=stored.vendor, body=stored.body, now=delivery.now)
    mark_processed(delivery_id=stored.id, now=delivery.now, about=f"payment:{payment.id}" if payment else "")


@handles("payment.abandon")
def stop_taking_money(delivery: Delivery) -> None:
    """Close the orders of a hold that has ended."""
    abandon_orders(reference=delivery.payload["reference"], now=delivery.now)


@handles("refund.send")
def pay_back(delivery: Delivery) -> None:
    """Bring a refund to the gateway."""
    send_refund(refund_id=UUID(delivery.payload["refund_id"]), now=delivery.now)
