"""What an answer of Cal.com means: its data, or one of our errors.

It has four shapes of error, and no code of its own for the common "taken": what counts is the status and what the text
contains.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import requests

from bookings.calendars.base import AlreadyGone, CalendarBusy, CalendarFault, KeyRefused, SlotRefused
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REFUSALS = (
    "already has booking at this time or is not available",
    "can't be booked at the",
    "book a meeting in the past",
    "maximum number of active bookings",
)
# Not every 404: one that does not know the address would leave the appointment standing.
GONE = ("has been cancelled", "already been cancelled", "booking that has already ended", "not found in the database")
KEY_REFUSED = {401, 403}
PERMANENT = {400, 403, 404, 405, 410, 413, 415, 422}
FAULT = 500
LONGEST_WAIT = timedelta(minutes=10)
FALLBACK_WAIT = timedelta(seconds=60)
# Their reset counts seconds from now, as their source does; some copies of their documents say an epoch.
FIRST_EPOCH = 1_000_000_000


def data_of(response: requests.Response, path: str) -> Any:
    """Return the envelope's data. Raises what the answer means; their text is not kept: it may quote the client."""
    body = _json(response)
    if response.ok and isinstance(body, dict) and body.get("status") == "success":
        return body.get("data")
    status, text = response.status_code, " | ".join(_texts(body)).lower()
    if status == requests.codes.conflict or (status == requests.codes.bad_request and _says(text, REFUSALS)):
        raise SlotRefused(f"cal.com refused the time ({status})")
    if status in {400, 404} and _says(text, GONE):
        raise AlreadyGone(f"cal.com knows nothing to change ({status})")
    if status == requests.codes.too_many_requests:
        raise CalendarBusy("cal.com asks us to wait", retry_after=wait_asked_for(response.headers))
    # A move is forbidden too when it comes later than they let it.
    if status in KEY_REFUSED and not (status == requests.codes.forbidden and path.endswith("/reschedule")):
        raise KeyRefused(f"cal.com does not take our key for {path} ({status})")
    if status >= FAULT:
        raise CalendarFault(f"cal.com answered {path} with {status}")
    raise ProviderError(f"cal.com answered {path} with {status}", permanent=status in PERMANENT)


def wait_asked_for(headers: Mapping[str, str]) -> timedelta:
    """Read how long a 429 wants us to wait: the longest of its limits, a minute when it does not say."""
    named = [value for name, value in headers.items() if name.lower().startswith("x-ratelimit-reset")]
    numbers = [int(value) for value in (headers.get("Retry-After", ""), *named) if value.strip().isdecimal()]
    waits = [timedelta(seconds=_from_now(number)) for number in numbers]
    return max((wait for wait in waits if timedelta(0) < wait <= LONGEST_WAIT), default=FALLBACK_WAIT)


def _from_now(number: int) -> float:
    return min(number, LONGEST_WAIT.total_seconds() + 1) if number < FIRST_EPOCH else _until(number)


def _until(epoch: int) -> float:
    return min(epoch - time.time(), LONGEST_WAIT.total_seconds() + 1)


def _says(text: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in text for phrase in phrases)


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _texts(body: Any) -> Iterator[str]:
    """Yield every sentence that an error may carry, whichever of the shapes it has; a page of HTML has none."""
    if isinstance(body, str):
        yield body
    elif isinstance(body, list):
        for item in body:
            yield from _texts(item)
    elif isinstance(body, dict):
        for name in ("error", "message", "details", "errors", "constraints"):
            yield from _texts(body.get(name))
