"""What a payment gateway must do. To add one: copy a file beside this one, and add a line to the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mindfulqalb.webhooks.services import WebhookEvent
    from payments.money import Money
    from payments.states import DisputeState, PaymentState, RefundState


@dataclass(frozen=True)
class OrderRequest:
    """What to ask a gateway for.

    `receipt` is our payment's id: the gateway shows it to us again, and a repeated request under it makes no second
    order. All of it comes from our row or is given anew by the same caller: a repeated request must be the same.
    """

    receipt: str
    price: Money
    description: str
    asked_at: datetime
    expires_at: datetime
    payer_email: str = ""
    success_url: str = ""
    cancel_url: str = ""


@dataclass(frozen=True)
class Order:
    """What the gateway made of it; `checkout_url` is empty where the client pays in a dialog on our page."""

    provider_order_id: str
    checkout_url: str = ""


@dataclass(frozen=True)
class Charge:
    """The gateway's word on one attempt to pay an order. What it does not say is left empty, and not compared."""

    provider_payment_id: str
    state: PaymentState
    paid: Money
    provider_order_id: str = ""
    receipt: str = ""
    is_live: bool | None = None
    # When the payer set about it; only where orders never end by themselves.
    begun_at: datetime | None = None


@dataclass(frozen=True)
class RefundRequest:
    """What to send back. `key` is our refund's id: a repeated request under it pays nothing twice."""

    key: str
    provider_payment_id: str
    amount: Money


@dataclass(frozen=True)
class GatewayRefund:
    """The gateway's word on one refund; `key` is ours where it was made for us, else empty."""

    provider_refund_id: str
    state: RefundState
    amount: Money
    key: str


@dataclass(frozen=True)
class GatewayDispute:
    """The gateway's word on one dispute; `reason` is a code of the bank's."""

    provider_dispute_id: str
    provider_payment_id: str
    state: DisputeState
    amount: Money
    reason: str
    answer_by: datetime | None


class PaymentGateway(Protocol):
    """A vendor who takes money. Every method raises ProviderError, and nothing of the vendor's own."""

    name: str
    public_key: str
    is_live: bool  # whether our key moves real money, or the vendor's play money

    def create_order(self, request: OrderRequest) -> Order:
        """Ask for money; nothing is charged yet."""

    def collect(self, provider_order_id: str, price: Money) -> list[Charge]:
        """Fetch every attempt to pay an order, capturing on the way what is authorized for exactly this price."""

    def close_order(self, provider_order_id: str) -> bool:
        """Take no money for an order any more; False where the gateway cannot do that, or somebody has paid already."""

    def find_order(self, provider_payment_id: str) -> str | None:
        """Name the order that a payment id of theirs belongs to; None when they know no such payment."""

    def payer_email(self, provider_payment_id: str) -> str:
        """Ask for the address that the payer gave there; empty where there is none."""

    def read_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookEvent:
        """Check a delivery's signature on its raw bytes. Raises InvalidWebhook."""

    def order_of_webhook(self, body: str) -> str | None:
        """Name the order, or the payment, that a stored delivery is about; None when it is about something else."""

    def refund(self, request: RefundRequest) -> GatewayRefund:
        """Send money back. After an unanswered call, ask `refunds` before asking this again."""

    def refunds(self, provider_payment_id: str) -> list[GatewayRefund]:
        """List what went back of a payment, made by us or by hand in the gateway's dashboard."""

    def dispute_of_webhook(self, body: str) -> str | None:
        """Name the dispute that a stored delivery is about; None when it is about something else."""

    def dispute(self, provider_dispute_id: str) -> GatewayDispute:
        """Fetch one dispute."""

    def disputes(self) -> list[GatewayDispute]:
        """List the newest disputes, of all payments."""
