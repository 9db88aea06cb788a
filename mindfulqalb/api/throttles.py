"""How often one caller may ask.

Counted by django-ratelimit's `get_usage`, and by no more of it: its decorator answers 403 without Retry-After and turns
a Redis outage into 500.
"""

from __future__ import annotations

import logging
import re
import time
import zlib
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError
from rest_framework.throttling import BaseThrottle

from mindfulqalb.api.addresses import client_address
from mindfulqalb.api.errors import Unavailable
from mindfulqalb.encryption.blind_index import email_digest
from mindfulqalb.observability.metrics import COUNTING_OUTAGES, REFUSED_REQUESTS

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

LONGEST_EMAIL = 254

_RATE = re.compile(r"(?P<count>[0-9]+)/(?P<times>[0-9]*)(?P<unit>[smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Outage:
    """Remembers that Redis failed, so that a hung one costs one request its timeout, and not every one."""

    PAUSE_SECONDS: ClassVar[float] = 2.0

    def __init__(self) -> None:
        """Start in good faith."""
        self._until = 0.0

    @property
    def is_on(self) -> bool:
        """Whether to leave Redis alone for now."""
        return time.monotonic() < self._until

    def begin(self) -> None:
        """Leave Redis alone for a while."""
        self._until = time.monotonic() + self.PAUSE_SECONDS


outage = Outage()


class RateThrottle(BaseThrottle):
    """Counts one kind of identity against RATE_LIMITS[scope]: the class's own scope, else the view's `throttle_scope`.

    `fail_open` says what happens while Redis is away: True lets everybody through, which a booking needs; False answers
    503, which a login needs.
    """

    scope: str | None = None
    fail_open = True

    def __init__(self) -> None:
        """Start without a verdict."""
        self._wait: int | None = None

    def identity(self, request: Request) -> str | None:
        """Say who is counted; None when this request has nobody of this kind."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request and say whether it may go on; raise Unavailable when an outage closes this door."""
        identity = self.identity(request)
        if identity is None:
            return True
        scope = self.scope or view.throttle_scope  # type: ignore[attr-defined]
        self._wait = seconds_to_wait(request, scope=scope, identity=identity, fail_open=self.fail_open)
        return self._wait is None

    def wait(self) -> float | None:
        """Say for how many seconds to stay away."""
        return self._wait


class AddressThrottle(RateThrottle):
    """Counts per client address, and per /64 of an IPv6 one."""

    def identity(self, request: Request) -> str:
        """Name the address; those whose address is unknown share one count."""
        return f"address:{client_address(request).network}"


class EmailThrottle(RateThrottle):
    """Counts per email in the body (`customer.email` or `email`), over all calls together.

    First with the network that the request comes from, and only what passes there by itself, against a wider limit:
    whoever knows somebody's email must not use up their share from one place. Only its blind index reaches Redis.
    """

    scope = "email"
    anywhere: ClassVar[str] = "email_anywhere"

    def identity(self, request: Request) -> str | None:
        """Name the email's digest and the network; what is no email is left to the serializer."""
        digest = _digest_in(request)
        return digest and f"email:{digest}:{client_address(request).network}"

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count here, and then everywhere."""
        digest = _digest_in(request)
        if not super().allow_request(request, view) or digest is None:
            return self._wait is None
        self._wait = seconds_to_wait(request, scope=self.anywhere, identity=f"email:{digest}", fail_open=self.fail_open)
        return self._wait is None


def _digest_in(request: Request) -> str | None:
    data = request.data if isinstance(request.data, dict) else {}
    customer = data.get("customer")
    email = customer.get("email") if isinstance(customer, dict) else data.get("email")
    if not isinstance(email, str) or not email.strip() or len(email) > LONGEST_EMAIL:
        return None
    return email_digest(email)


def seconds_to_wait(request: HttpRequest | Request, *, scope: str, identity: str, fail_open: bool = True) -> int | None:
    """Count one request of somebody against RATE_LIMITS[scope]; None when it may go on.

    Raises Unavailable while Redis is away, unless `fail_open`.
    """
    try:
        wait = None if outage.is_on else _seconds_to_wait(request, scope, identity)
    except (RedisError, OSError):
        outage.begin()
        COUNTING_OUTAGES.inc()
        wait = None
        logger.exception("Redis does not count requests: open doors stay open, closed ones shut")
    if outage.is_on and not fail_open:
        raise Unavailable
    if wait is not None:
        REFUSED_REQUESTS.labels(scope).inc()
    return wait


def _seconds_to_wait(request: HttpRequest | Request, scope: str, identity: str) -> int | None:
    count, period = _rate(scope)
    waits = []
    for value in _half_a_period_apart(identity, period):
        usage = get_usage(request, group=scope, key=lambda *_, value=value: value, rate=(count, period), increment=True)
        # A count of none means that the window ended between two commands: a new one is due.
        if usage and usage["count"] and usage["should_limit"]:
            waits.append(max(1, usage["time_left"]))
    return max(waits, default=None)


def _rate(scope: str) -> tuple[int, int]:
    match = _RATE.fullmatch(settings.RATE_LIMITS.get(scope, ""))
    if match is None:
        raise ImproperlyConfigured(f"RATE_LIMITS[{scope!r}] must be like 60/m or 5/10m")
    return int(match["count"]), int(match["times"] or 1) * _SECONDS[match["unit"]]


def _half_a_period_apart(identity: str, period: int) -> tuple[str, str]:
    """Spell an identity in two ways whose windows overlap by about half.

    get_usage counts in fixed windows, so that a limit could be used up twice around a window's edge. It starts a window
    by the CRC of what it counts; each edge of one spelling's windows then lies well within a window of the other's.
    """
    first, *others = (f"{identity}#{number}" for number in range(16))
    start = zlib.crc32(first.encode())
    return first, min(others, key=lambda other: abs((zlib.crc32(other.encode()) - start) % period - period / 2))
