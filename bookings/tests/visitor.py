"""A client at a browser: the same calls that the booking page makes, and the sandbox's buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from bookings.practice_time import clock_text, local

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

ACKNOWLEDGED = ["item1", "item2", "item3"]


class Wire(Protocol):
    """Whatever carries a JSON request: DRF's test client, or HTTP to a real server."""

    def __call__(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Post a body and return status and answer."""


@dataclass
class Visitor:
    """Jane, unless told otherwise; `starts_at` is the slot she wants."""

    post: Wire
    sandbox: SandboxProcess
    starts_at: datetime
    email: str = "jane@example.com"
    name: str = "Jane Doe"
    phone: str = "+919876543210"
    session_type: str = "individual"
    session_format: str | None = "video"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def wish(self) -> dict[str, Any]:
        """What every booking call carries."""
        wish = {
            "sessionType": self.session_type,
            "date": local(self.starts_at).date().isoformat(),
            "time": clock_text(self.starts_at),
            "customer": {"name": self.name, "email": self.email, "phone": self.phone},
            "consentAccepted": True,
        }
        return wish | ({"format": self.session_format} if self.session_format else {}) | self.extra

    def consent(self) -> tuple[int, dict[str, Any]]:
        """Tick all boxes and agree."""
        given = {"sessionType": self.session_type, "email": self.email, "acknowledgments": ACKNOWLEDGED}
        return self.post("/api/consent", given | {"consentVersion": "2024-01-15", "userAgent": "x"})

    def hold(self, pay_with: str | None = "razorpay") -> tuple[int, dict[str, Any]]:
        """Keep the slot."""
        return self.post("/api/bookings/hold", self.wish | {"payWith": pay_with})

    def order(self) -> tuple[int, dict[str, Any]]:
        """Ask for an order without a hold."""
        return self.post(
            "/api/payments/create-order", {"sessionType": self.session_type, "format": self.session_format}
        )

    def pay(self, order_id: str, outcome: str = "captured") -> dict[str, Any]:
        """Press the button in Razorpay's dialog and return the triple."""
        triple = self.sandbox.pay_razorpay(order_id, outcome)
        return {key: triple[key] for key in ("razorpay_order_id", "razorpay_payment_id", "razorpay_signature")}

    def verify(self, triple: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Hand the triple to the server."""
        return self.post("/api/payments/verify", triple)

    def book(self, payment_id: str | None = None) -> tuple[int, dict[str, Any]]:
        """Book."""
        return self.post("/api/bookings", self.wish | ({"paymentId": payment_id} if payment_id else {}))

    def paid_payment_id(self) -> str:
        """Order, pay and verify without a hold, and return the payment's id."""
        _, order = self.order()
        triple = self.pay(order["orderId"])
        self.verify(triple)
        return str(triple["razorpay_payment_id"])
