"""A client at each gateway, and the gateway's webhooks: what one contract test needs to know about two vendors."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import requests

from payments.gateways.razorpay import RazorpayGateway
from payments.gateways.stripe import StripeGateway
from payments.money import Money

if TYPE_CHECKING:
    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess
    from payments.gateways.base import Charge, PaymentGateway
    from payments.states import PaymentState

PENDING_FOR = 3600


def _hex(secret: str, signed: bytes) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class Payer(Protocol):
    """A client in front of one gateway of the sandbox's."""

    name: str
    price: Money
    calls: ClassVar[dict[str, str]]
    signature_header: str
    secret: str
    unknown_payment_id: str
    unknown_order_id: str
    sandbox: SandboxProcess

    def gateway(self) -> PaymentGateway: ...

    def books(self) -> list[tuple[str, int, str, str]]: ...

    def pay(self, order_id: str, outcome: str = "captured") -> str: ...

    def finish(self, order_id: str) -> None: ...

    def refund_by_hand(self, payment_id: str, amount: int) -> None: ...

    def sign(self, body: bytes, *, secret: str | None = None, event_id: str = "evt_1") -> dict[str, str]: ...

    def body_about(self, order_id: str) -> bytes: ...

    def body_about_nothing(self) -> bytes: ...


class RazorpayPayer:
    name = "razorpay"
    price = Money(129900, "INR")
    calls: ClassVar[dict[str, str]] = {
        "create": "orders.create",
        "collect": "orders.payments",
        "find": "payments.fetch",
    }
    signature_header = "X-Razorpay-Signature"
    secret = "whsec_sandbox_razorpay"
    unknown_payment_id = "pay_00000000000000"
    unknown_order_id = "order_00000000000000"

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox

    def gateway(self) -> PaymentGateway:
        return RazorpayGateway.from_settings()

    def books(self) -> list[tuple[str, int, str, str]]:
        orders = self.sandbox.state()["razorpay"]["orders"]
        return [(order["id"], order["amount"], order["currency"], order["receipt"]) for order in orders]

    def pay(self, order_id: str, outcome: str = "captured") -> str:
        wanted = {"pending": "late"}.get(outcome, outcome)
        return str(self.sandbox.pay_razorpay(order_id, wanted, seconds=PENDING_FOR)["razorpay_payment_id"])

    def finish(self, order_id: str) -> None:
        payments = self.sandbox.state()["razorpay"]["payments"]
        payment = next(payment for payment in payments if payment["order_id"] == order_id)
        self.sandbox.settle("razorpay/payments", payment["id"], "captured")

    def refund_by_hand(self, payment_id: str, amount: int) -> None:
        """Refund without our key, as a person at the gateway's dashboard does."""
        url = f"{self.sandbox.url}/razorpay/v1/payments/{payment_id}/refund"
        keys = ("rzp_test_sandbox", "rzp_sandbox_secret")
        requests.post(url, auth=keys, json={"amount": amount}, timeout=10).raise_for_status()

    def sign(self, body: bytes, *, secret: str | None = None, event_id: str = "evt_1") -> dict[str, str]:
        signature = _hex(self.secret if secret is None else secret, body)
        return {self.signature_header: signature, "X-Razorpay-Event-Id": event_id}

    def body_about(self, order_id: str) -> bytes:
        payment = {"entity": {"id": "pay_1", "order_id": order_id, "status": "captured"}}
        return json.dumps({"event": "payment.captured", "payload": {"payment": payment}}).encode()

    def body_about_nothing(self) -> bytes:
        return json.dumps({"event": "settlement.processed", "payload": {"settlement": {"entity": {}}}}).encode()


class StripePayer:
    name = "stripe"
    price = Money(1600, "USD")
    calls: ClassVar[dict[str, str]] = {
        "create": "sessions.create",
        "collect": "sessions.retrieve",
        "find": "sessions.list",
    }
    signature_header = "Stripe-Signature"
    secret = "whsec_sandbox_stripe"
    unknown_payment_id = "pi_000000000000000000000000"
    unknown_order_id = "cs_test_000000000000000000000000"

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox

    def gateway(self) -> PaymentGateway:
        return StripeGateway.from_settings()

    def books(self) -> list[tuple[str, int, str, str]]:
        sessions = self.sandbox.state()["stripe"]["sessions"]
        return [
            (each["id"], each["amount_total"], each["currency"].upper(), each["metadata"]["payment"])
            for each in sessions
        ]

    def pay(self, order_id: str, outcome: str = "captured") -> str:
        self.sandbox.pay_stripe(order_id, "paid" if outcome == "captured" else "delayed")
        if outcome == "failed":
            self.sandbox.settle("stripe/sessions", order_id, "failed")
        sessions = self.sandbox.state()["stripe"]["sessions"]
        return str(next(each["payment_intent"] for each in sessions if each["id"] == order_id))

    def finish(self, order_id: str) -> None:
        self.sandbox.settle("stripe/sessions", order_id, "succeeded")

    def refund_by_hand(self, payment_id: str, amount: int) -> None:
        """Refund without our key, as a person at the gateway's dashboard does."""
        url = f"{self.sandbox.url}/stripe/v1/refunds"
        body = {"payment_intent": payment_id, "amount": amount}
        requests.post(url, auth=("sk_test_sandbox", ""), data=body, timeout=10).raise_for_status()

    def sign(self, body: bytes, *, secret: str | None = None, event_id: str = "evt_1") -> dict[str, str]:
        return self.sign_at(int(time.time()), body, secret=secret)

    def sign_at(self, moment: int, body: bytes, *, secret: str | None = None) -> dict[str, str]:
        signature = _hex(self.secret if secret is None else secret, f"{moment}.".encode() + body)
        return {self.signature_header: f"t={moment},v1={signature}"}

    def body_about(self, order_id: str) -> bytes:
        return self._event("checkout.session.completed", {"id": order_id, "object": "checkout.session"})

    def body_about_nothing(self) -> bytes:
        return self._event("payout.paid", {"id": "po_1", "object": "payout"})

    def _event(self, kind: str, shown: dict[str, Any]) -> bytes:
        return json.dumps({"id": "evt_1", "object": "event", "type": kind, "data": {"object": shown}}).encode()


PAYERS: dict[str, type[RazorpayPayer | StripePayer]] = {"razorpay": RazorpayPayer, "stripe": StripePayer}


def told(charges: list[Charge]) -> list[tuple[str, PaymentState, Money]]:
    """What a gateway says of each attempt to pay: its id, its state, its figures."""
    return [(charge.provider_payment_id, charge.state, charge.paid) for charge in charges]
