"""Find payments."""

from __future__ import annotations

from payments.models import Payment
from payments.states import PaymentState


def open_payment_for(*, reference: str, gateway: str) -> Payment | None:
    """Find an order that the payer with this reference can still pay."""
    still_open = [PaymentState.CREATED, PaymentState.FAILED]
    return (
        Payment.objects.filter(reference=reference, gateway=gateway, state__in=still_open)
        .exclude(provider_order_id=None)
        .order_by("-created_at")
        .first()
    )
