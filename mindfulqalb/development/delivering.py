"""Deliver webhooks as a gateway does on its busiest day, and measure how long it waits for each answer."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import local
from uuid import uuid4

import requests

TIMEOUT = 30
WEBHOOK_PATH = "/api/webhooks/razorpay"


@dataclass(frozen=True)
class Deliveries:
    """So many a second for so many seconds, signed with Razorpay's webhook secret; none is about money of ours."""

    url: str
    secret: str
    rate: float = 200.0
    seconds: float = 5.0
    connections: int = 50

    @property
    def count(self) -> int:
        """How many in all."""
        return int(self.rate * self.seconds)

    def signed(self, number: int) -> tuple[bytes, dict[str, str]]:
        """One delivery, unlike every other: its body, of the usual length, and its headers."""
        event_id = f"evt_{uuid4().hex[:14]}"
        entity = {"id": f"pay_{number:014d}", "order_id": f"order_{number:014d}", "status": "captured", "notes": []}
        entity |= {"description": "x" * 1000}
        body = json.dumps({"event": "payment.captured", "payload": {"payment": {"entity": entity}}}).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        return body, {
            "Content-Type": "application/json",
            "X-Razorpay-Signature": signature,
            "X-Razorpay-Event-Id": event_id,
        }


@dataclass(frozen=True)
class Delivered:
    """What came of them: the answers, and the seconds that each took from when it was due."""

    answers: Counter[str]
    seconds: list[float]

    def at(self, percent: int) -> float:
        """The time that this share of the answers did not exceed."""
        return sorted(self.seconds)[max(0, len(self.seconds) * percent // 100 - 1)]


def deliver(deliveries: Deliveries) -> Delivered:
    """Send each when it is due, whether those before it were answered or not.

    A delivery that has to wait for a free connection has waited: its time counts from when it was due.
    """
    browsers = local()
    begun = time.perf_counter()

    def send(number: int) -> tuple[str, float]:
        due = begun + number / deliveries.rate
        time.sleep(max(0.0, due - time.perf_counter()))
        if not hasattr(browsers, "session"):
            browsers.session = requests.Session()
        body, headers = deliveries.signed(number)
        try:
            response = browsers.session.post(deliveries.url + WEBHOOK_PATH, data=body, headers=headers, timeout=TIMEOUT)
            answer = str(response.status_code)
        except requests.RequestException as error:
            answer = type(error).__name__
        return answer, time.perf_counter() - due

    with ThreadPoolExecutor(deliveries.connections) as gateway:
        answered = list(gateway.map(send, range(deliveries.count)))
    return Delivered(Counter(answer for answer, _ in answered), [took for _, took in answered])
