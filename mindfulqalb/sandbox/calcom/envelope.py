"""How Cal.com v2 answers: envelopes, error shapes, versions, keys and rate limits."""

from __future__ import annotations

import hashlib
import math
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.answers import Answer, VendorError
from mindfulqalb.sandbox.calls import Vendor, vendor_call
from mindfulqalb.sandbox.clock import iso, now
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.switches import switch

if TYPE_CHECKING:
    from django.http import HttpRequest

SLOTS_VERSION = "2024-09-04"
BOOKINGS_VERSIONS = ("2024-08-13", "2026-02-25")
EVENT_TYPES_VERSION = "2024-06-14"
FALLBACK_VERSION = "2024-04-15"

REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
TOO_MANY = 429
EXCEPTIONS = {TOO_MANY: "ThrottlerException"}
THROTTLED = "CustomThrottlerGuard - Too many requests. Please try again later."
NOT_AVAILABLE = "User either already has booking at this time or is not available"
NO_KEY = (
    "No authentication method provided. Either pass an API key as 'Bearer' header or OAuth client credentials as "
    "'x-cal-secret-key' and 'x-cal-client-id' headers"
)
BAD_KEY = "ApiAuthStrategy - api key - Your api key is not valid"
NEEDS_KEY = {
    "bookings.list",
    "bookings.confirm",
    "bookings.decline",
    "bookings.mark_absent",
    "event_types.get",
    "me.get",
}
IGNORES_KEY = {"slots.list", "reservations.get", "reservations.update", "reservations.delete"}


@dataclass
class CalcomError(VendorError):
    """A refusal in Cal.com's usual envelope; `bare` is the shape without one."""

    status: int
    message: str
    code: str = ""
    details: Any = None
    bare: bool = False

    def answer(self, request: HttpRequest) -> Answer:
        """Return the refusal in the envelope, or bare."""
        if self.bare:
            return Answer(self.status, {"statusCode": self.status, "message": self.message})
        error: dict[str, Any] = {"code": self.code or exception_name(self.status), "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        elif not self.code:
            error["details"] = self._default_details()
        body = {"status": "error", "timestamp": iso(now()), "path": request_path(request), "error": error}
        return Answer(self.status, body)

    def _default_details(self) -> Any:
        if self.status == TOO_MANY:
            return self.message
        reason = REASONS.get(self.status, "Error")
        return {"message": self.message, "error": reason, "statusCode": self.status}


def exception_name(status: int) -> str:
    """Return the name of the exception class behind a status, which Cal.com sends as the code."""
    return EXCEPTIONS.get(status) or REASONS.get(status, "Http").replace(" ", "") + "Exception"


def request_path(request: HttpRequest) -> str:
    """Return the path as Cal.com itself would see it."""
    return request.get_full_path().removeprefix("/calcom")


def success(data: Any, status: int = 200, **more: Any) -> Answer:
    """Return data in the envelope."""
    return Answer(status, {"status": "success", "data": data, **more})


def not_routed(request: HttpRequest) -> CalcomError:
    """Return the 404 of a path that this version does not have."""
    return CalcomError(404, f"Cannot {request.method} {request_path(request)}")


def version(request: HttpRequest, known: tuple[str, ...]) -> str:
    """Return the version asked for; a missing or unknown one silently means the oldest."""
    asked = request.headers.get("cal-api-version", "")
    return asked if asked in known else FALLBACK_VERSION


def is_host(request: HttpRequest) -> bool:
    """Say whether the caller showed the host's key."""
    return request.headers.get("Authorization", "") == f"Bearer {configuration().calcom_api_key}"


def _authenticate(request: HttpRequest, call: str) -> None:
    if is_over_limit(request):
        raise CalcomError(429, THROTTLED)
    given = request.headers.get("Authorization", "")
    if given and call not in IGNORES_KEY and not is_host(request):
        raise CalcomError(401, BAD_KEY)
    if not given and call in NEEDS_KEY:
        raise CalcomError(401, NO_KEY)


WINDOW_SECONDS = 60
DEFAULT_LIMIT = 120
_recent: dict[str, deque[float]] = {}


def _tracker(request: HttpRequest) -> str:
    given = request.headers.get("Authorization", "") or request.META.get("REMOTE_ADDR", "")
    return hashlib.sha256(given.encode()).hexdigest()


def is_over_limit(request: HttpRequest) -> bool:
    """Count this call and say whether it is one too many; only a limit that is switched on refuses."""
    recent = _recent.setdefault(_tracker(request), deque())
    moment = time.monotonic()
    while recent and recent[0] < moment - WINDOW_SECONDS:
        recent.popleft()
    limit = switch("calcomRateLimit")
    if limit and len(recent) >= limit:
        return True
    recent.append(moment)
    return False


def forget_calls() -> None:
    """Start every caller's count anew."""
    _recent.clear()


def _with_rate_limit(request: HttpRequest, answer: Answer) -> Answer:
    recent = _recent.get(_tracker(request)) or deque([time.monotonic()])
    enforced = switch("calcomRateLimit")
    limit = enforced or DEFAULT_LIMIT
    # While nothing is refused, nobody is told that nothing remains.
    remaining = max(0 if enforced else 1, limit - len(recent))
    reset = max(1, math.ceil(recent[0] + WINDOW_SECONDS - time.monotonic()))
    if answer.status == TOO_MANY:
        remaining, reset = 0, WINDOW_SECONDS
    answer.headers |= {
        "X-RateLimit-Limit-Default": str(limit),
        "X-RateLimit-Remaining-Default": str(remaining),
        "X-RateLimit-Reset-Default": str(reset),
    }
    return answer


def _failure(status: int, message: str) -> CalcomError:
    if status == TOO_MANY:
        return CalcomError(429, message or THROTTLED)
    return CalcomError(status, message or REASONS.get(status, "Error"))


def _slot_taken(form: str) -> CalcomError:
    if form == "bare":
        return CalcomError(409, "booking_conflict_error", bare=True)
    return CalcomError(400, NOT_AVAILABLE)


def _bare_failure() -> Answer:
    return Answer(500, {"statusCode": 500, "message": "Internal server error"})


CALCOM = Vendor(
    name="calcom",
    authenticate=_authenticate,
    failure=_failure,
    bare_failure=_bare_failure,
    decorate=_with_rate_limit,
    slot_taken=_slot_taken,
)


@vendor_call(CALCOM, "not_found")
def not_found(request: HttpRequest, **_path: str) -> Answer:
    """Answer a path or method that Cal.com does not have."""
    raise not_routed(request)
