"""What a caller knows: the values of an ordinary client, and whatever earlier answers gave away."""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings

from mindfulqalb.staff.tests.builders import PASSWORD

if TYPE_CHECKING:
    from random import Random

REMEMBERED = 40
# What the payment dialog gives; a refusal may have fields of these names.
DIALOG = {"razorpay_order_id", "razorpay_payment_id", "razorpay_signature"}
# Under which name of a request an answer's value is of use.
LEARNT = {
    "bookingId": "id",
    "accessToken": "token",
    "refreshToken": "refreshToken",
    "consentId": "consentId",
    "orderId": "orderId",
    "paymentId": "paymentId",
    "razorpay_order_id": "razorpay_order_id",
    "razorpay_payment_id": "razorpay_payment_id",
    "razorpay_signature": "razorpay_signature",
    "number": "number",
}


def ordinary() -> dict[str, list[Any]]:
    """Values that every client of the practice can know, by field."""
    today = datetime.now(UTC).date()
    days = [(today + timedelta(days=ahead)).isoformat() for ahead in range(1, 15)]
    home = settings.SITE_URL
    return {
        "sessionType": ["individual", "individual-video", "couples", "free", "video"],
        "format": ["video", None],
        "date": days,
        "month": [days[0][:7], days[-1][:7]],
        "time": [f"{hour}:00 {half}" for half, hours in (("AM", (10, 11)), ("PM", (12, 1, 2, 3, 4))) for hour in hours],
        "timeZone": ["Asia/Kolkata", "UTC", "Europe/Berlin"],
        "name": ["Jane Doe", "Zoë"],
        "email": [f"client{number}@example.com" for number in range(30)],
        "phone": ["+919876543210", None],
        "consentAccepted": [True],
        "consentVersion": ["2024-01-15"],
        "acknowledgments": [["item1", "item2", "item3"]],
        "ageBand": ["", "adult"],
        "consentId": [None] * REMEMBERED,
        "paymentId": [None],
        "payWith": ["razorpay", "razorpay", "stripe", None],
        "currency": ["INR", "USD"],
        "successUrl": [f"{home}/?paid=stripe"],
        "cancelUrl": [home],
        "locale": ["en", "hi"],
        "kind": ["consent", "privacy"],
        "ipAddress": ["203.0.113.7"],
        "userAgent": ["Mozilla/5.0"],
        "username": ["asha"],
        "password": [PASSWORD],
    }


class Knowledge:
    """Grows with every answer, and forgets what is old."""

    def __init__(self) -> None:
        """Know what everybody knows."""
        self._ordinary = ordinary()
        self._learnt: dict[str, deque[Any]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self.links: deque[tuple[str, str]] = deque(maxlen=REMEMBERED)  # bookings, and the tokens that open them
        self.consent_tokens: list[str] = []
        self._orders: dict[tuple[Any, Any], str] = {}  # what a held slot is paid by
        self._dialogs: dict[str, dict[str, Any]] = {}  # what the payment dialog gave for an order

    def learn(self, answer: Any) -> None:
        """Keep what may be of use in a later request, however deep it lies."""
        if isinstance(answer, dict):
            if {"bookingId", "token"} <= answer.keys():
                self.links.append((answer["bookingId"], answer["token"]))
            if answer.keys() >= DIALOG and isinstance(answer["razorpay_order_id"], str):
                self._dialogs[answer["razorpay_order_id"]] = answer
            for name, value in answer.items():
                if name in LEARNT and isinstance(value, str):
                    self._learnt[LEARNT[name]].append(value)
                self.learn(value)
        elif isinstance(answer, list):
            for value in answer:
                self.learn(value)

    def learn_order(self, asked: Any, answer: Any) -> None:
        """Keep which order pays for a slot that was held."""
        if isinstance(asked, dict) and isinstance(answer, dict) and (payment := answer.get("payment")):
            self._orders[asked.get("date"), asked.get("time")] = payment.get("orderId", "")

    def dialog_of(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Say what a client sends of what the payment dialog told them, of an order or for the slot they held."""
        if dialog := self._dialogs.get(str(asked.get("razorpay_order_id"))):
            return dialog
        slot = asked.get("date"), asked.get("time")
        dialog = self._dialogs.get(self._orders.get(slot, "")) if "paymentId" in asked else None
        return {"paymentId": dialog["razorpay_payment_id"]} if dialog else {}

    def take_order(self) -> str | None:
        """Hand out an order that has not been paid yet."""
        unpaid = self._learnt["orderId"]
        return unpaid.pop() if unpaid else None

    def has(self, name: str) -> bool:
        """Whether there is a good value for a field of this name."""
        return name in self._ordinary or bool(self._learnt[name])

    def one(self, name: str, random: Random) -> Any:
        """Choose a good value for a field of this name."""
        return random.choice([*self._ordinary.get(name, ()), *self._learnt[name]])
