"""Cal.com, API v2. https://cal.com/docs/api-reference/v2/introduction"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests
from django.conf import settings
from django.utils.dateparse import parse_datetime

from bookings.calendars.base import Appointment, AppointmentRequest, SlotRefused
from mindfulqalb.vendors.errors import ProviderError
from mindfulqalb.vendors.sessions import vendor_session

if TYPE_CHECKING:
    from collections.abc import Mapping

# The common case has no code of its own: it is a 400 with one of these sentences.
REFUSALS = (
    "already has booking at this time or is not available",
    "booking_conflict_error",
    "no more seats left",
    "can't be booked at the",
    "book a meeting in the past",
    "maximum number of active bookings",
)
# Not every 404: one that does not know the address would leave the appointment standing.
GONE = ("has been cancelled", "already been cancelled", "booking that has already ended", "not found in the database")
LONGEST_WAIT = timedelta(minutes=10)
FALLBACK_WAIT = timedelta(seconds=60)
# Our clock and theirs differ, and `asked_since` was written before the call left.
CLOCK_SLACK = timedelta(minutes=2)
LOCALES = {"en", "hi"}


class AlreadyGone(ProviderError):
    """What should be cancelled stands in the calendar no more."""

    def __init__(self, message: str) -> None:
        """Asking again is of no use."""
        super().__init__(message, permanent=True)


class CalcomCalendar:
    """Cal.com behind the calendar protocol."""

    def __init__(self, *, api_url: str, web_url: str, api_key: str, slots_version: str, bookings_version: str) -> None:
        """Make a client. A missing version header would silently choose another shape of the endpoint."""
        self._api_url = api_url.rstrip("/")
        self._web_url = web_url.rstrip("/")
        self._session = vendor_session()
        self._session.headers["Authorization"] = f"Bearer {api_key}"
        self._slots_version = slots_version
        self._bookings_version = bookings_version

    @classmethod
    def from_settings(cls) -> CalcomCalendar:
        """Make the calendar that the settings describe."""
        return cls(
            api_url=settings.CALCOM_API_URL,
            web_url=settings.CALCOM_WEB_URL,
            api_key=settings.CALCOM_API_KEY,
            slots_version=settings.CALCOM_SLOTS_VERSION,
            bookings_version=settings.CALCOM_BOOKINGS_VERSION,
        )

    def free_slots(self, *, event_type: str, start: datetime, end: datetime) -> list[datetime]:
        """List free starts. https://cal.com/docs/api-reference/v2/slots/get-available-time-slots-for-an-event-type

        An `end` at midnight UTC would be widened to the whole day, hence the second less, and the filter.
        """
        params = {"eventTypeId": event_type, "start": _utc(start), "end": _utc(end - timedelta(seconds=1))}
        data = self._call("GET", "slots", version=self._slots_version, params=params)
        starts = [_instant(slot["start"]) for day in data.values() for slot in day]
        return sorted(instant for instant in starts if start <= instant < end)

    def book(self, request: AppointmentRequest, *, timeout: float) -> Appointment:
        """Write an appointment. https://cal.com/docs/api-reference/v2/bookings/create-a-booking

        There is no idempotency: our id goes into the metadata, and whoever gets no answer must look before asking
        again.
        """
        attendee = {
            "name": request.name,
            # Their search by email is case-sensitive.
            "email": request.email.lower(),
            "timeZone": request.time_zone,
            "language": request.locale if request.locale in LOCALES else "en",
        } | ({"phoneNumber": request.phone} if request.phone else {})
        body = {
            "start": _utc(request.starts_at),
            "eventTypeId": int(request.event_type),
            "attendee": attendee,
            "metadata": {"reference": request.reference},
        }
        data = self._call("POST", "bookings", version=self._bookings_version, json=body, timeout=timeout)
        return _appointment(data)

    def find(self, request: AppointmentRequest) -> Appointment | None:
        """Look for our reference. https://cal.com/docs/api-reference/v2/bookings/get-all-bookings"""
        params = {
            "attendeeEmail": request.email.lower(),
            "eventTypeId": request.event_type,
            "afterCreatedAt": _utc(request.asked_since - CLOCK_SLACK),
            "sortCreated": "desc",
            "take": "50",
        }
        found = self._call("GET", "bookings", version=self._bookings_version, params=params)
        ours = [item for item in found if _is_ours(item, request)]
        return _appointment(ours[0]) if ours else None

    def cancel(self, uid: str, *, reason: str) -> None:
        """Cancel an appointment. https://cal.com/docs/api-reference/v2/bookings/cancel-a-booking

        The reason is mandatory for the host's key. Cancelled before, over, or unknown: there is nothing left to cancel.
        """
        path = f"bookings/{quote(uid, safe='')}/cancel"
        with suppress(AlreadyGone):
            self._call("POST", path, version=self._bookings_version, json={"cancellationReason": reason})

    def page_url(self, uid: str) -> str:
        """The booking's page on Cal.com."""
        return f"{self._web_url}/booking/{quote(uid, safe='')}"

    def _call(self, method: str, path: str, *, version: str, timeout: float | None = None, **options: Any) -> Any:
        """Make one call and return the envelope's data."""
        limits = (settings.VENDOR_TIMEOUT[0], timeout) if timeout else None
        try:
            response = self._session.request(
                method,
                f"{self._api_url}/v2/{path}",
                headers={"cal-api-version": version},
                timeout=limits,
                allow_redirects=False,
                **options,
            )
        except requests.RequestException as error:
            raise ProviderError(f"cal.com did not answer {path}: {type(error).__name__}", permanent=False) from error
        return _data_of(response, path)


def _data_of(response: requests.Response, path: str) -> Any:
    body = _json(response)
    if response.ok and isinstance(body, dict) and body.get("status") == "success" and "data" in body:
        return body["data"]
    message = _message(body)
    if response.status_code in {400, 409} and any(refusal in message.lower() for refusal in REFUSALS):
        raise SlotRefused(f"cal.com refused the time ({response.status_code})")
    if response.status_code in {400, 404} and any(phrase in message.lower() for phrase in GONE):
        raise AlreadyGone(f"cal.com knows nothing to cancel ({response.status_code})")
    if response.status_code == requests.codes.too_many_requests:
        msg = "cal.com asks us to wait"
        raise ProviderError(msg, permanent=False, retry_after=_wait(response.headers))
    # Their message may quote what the client typed, so it is not kept.
    permanent = response.status_code in {400, 401, 403, 404, 410, 422}
    raise ProviderError(f"cal.com answered {path} with {response.status_code}", permanent=permanent)


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _message(body: Any) -> str:
    """Find the sentence in any of the four shapes of error that Cal.com knows."""
    if not isinstance(body, dict):
        return ""
    error = body.get("error")
    if isinstance(error, dict):
        return str(error.get("message", ""))
    return str(error if isinstance(error, str) else body.get("message", ""))


def _wait(headers: Mapping[str, str]) -> timedelta:
    """Read how long to wait: their reset counts seconds from now, a CDN's Retry-After too, some copies an epoch."""
    candidates = [headers.get("Retry-After", "")] + [
        value for name, value in headers.items() if name.lower().startswith("x-ratelimit-reset")
    ]
    seconds = [int(value) for value in candidates if value.isdigit()]
    sensible = [timedelta(seconds=value) for value in seconds if 0 < value <= LONGEST_WAIT.total_seconds()]
    return max(sensible, default=FALLBACK_WAIT)


def _appointment(data: Any) -> Appointment:
    try:
        accepted = data["status"] == "accepted"
        return Appointment(uid=data["uid"], starts_at=_instant(data["start"]), is_accepted=accepted)
    except (KeyError, TypeError, ValueError) as error:
        msg = "cal.com answered with a booking that cannot be read"
        raise ProviderError(msg, permanent=False) from error


def _is_ours(item: dict[str, Any], request: AppointmentRequest) -> bool:
    if item.get("status") not in {"accepted", "pending"}:
        return False
    reference = (item.get("metadata") or {}).get("reference")
    if reference is not None:
        return bool(reference == request.reference)
    # Metadata may be lost on their side; same client, type and start is ours all the same.
    return _instant(item["start"]) == request.starts_at


def _instant(text: str) -> datetime:
    parsed = parse_datetime(text)
    if parsed is None or parsed.tzinfo is None:
        msg = "cal.com sent a time that cannot be read"
        raise ProviderError(msg, permanent=False)
    return parsed.astimezone(UTC)


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
