"""Between our words and Cal.com's."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.utils.dateparse import parse_datetime

from bookings.calendars.base import Appointment, AppointmentState
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bookings.calendars.base import AppointmentRequest

logger = logging.getLogger(__name__)

# Of the languages in which we write. Hindi is none of their 43, and they refuse a booking in it.
LANGUAGES = {"en"}
STATES = {
    "accepted": AppointmentState.ACCEPTED,
    "pending": AppointmentState.PENDING,
    "awaiting_host": AppointmentState.PENDING,
    "rejected": AppointmentState.DECLINED,
    "cancelled": AppointmentState.CANCELLED,
}
# Of several that carry our reference (moved ones do), the one that stands.
BEST_FIRST = (
    AppointmentState.ACCEPTED,
    AppointmentState.PENDING,
    AppointmentState.DECLINED,
    AppointmentState.CANCELLED,
)


def booking_body(request: AppointmentRequest) -> dict[str, Any]:
    """Write down an appointment as `POST /v2/bookings` wants it; an unknown field would be refused."""
    attendee = {
        "name": request.name,
        # Their search by email is case-sensitive.
        "email": request.email.lower(),
        "timeZone": request.time_zone,
        "language": request.locale if request.locale in LANGUAGES else "en",
    } | ({"phoneNumber": request.phone} if request.phone else {})
    return {
        "start": instant_text(request.starts_at),
        "eventTypeId": int(request.event_type),
        "attendee": attendee,
        "metadata": {"reference": request.reference},
    }


def appointment_of(data: Any) -> Appointment:
    """Read a booking of theirs; keys that we do not know are none of our business. Raises ProviderError."""
    try:
        client: dict[str, Any] = next(iter(data.get("attendees") or ()), {})
        return Appointment(
            uid=data["uid"],
            starts_at=instant_of(data["start"]),
            state=STATES[data["status"]],
            ends_at=instant_of(data["end"]) if data.get("end") else None,
            event_type=str((data.get("eventType") or {}).get("id") or data.get("eventTypeId") or ""),
            reference=str((data.get("metadata") or {}).get("reference") or ""),
            moved_to=data.get("rescheduledToUid") or "",
            moved_from=data.get("rescheduledFromUid") or "",
            changed_by=data.get("cancelledByEmail") or "",
            moved_by=data.get("rescheduledByEmail") or "",
            host_emails=tuple(_host_emails(data)),
            client_name=client.get("name") or "",
            client_email=client.get("email") or "",
            is_client_absent=client.get("absent") is True,
            updated_at=instant_of(data["updatedAt"]) if data.get("updatedAt") else None,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        msg = "cal.com answered with a booking that cannot be read"
        raise ProviderError(msg, permanent=False) from error


def _host_emails(data: Any) -> Iterator[str]:
    """Name the hosts' addresses; one whose account is gone is called "unknown" there."""
    for host in data.get("hosts") or ():
        yield from (email for key in ("email", "displayEmail") if "@" in (email := host.get(key) or ""))


def best_match(data: Any, request: AppointmentRequest) -> Appointment | None:
    """Choose ours among the bookings of one client, the one that stands before one that is over."""
    ours = [appointment_of(item) for item in _listed(data) if _is_ours(item, request)]
    return min(ours, key=lambda appointment: BEST_FIRST.index(appointment.state), default=None)


def free_starts(data: Any) -> list[datetime]:
    """Read the starts from their list per day; their key and clock are not enough on a day when the clock changes."""
    try:
        return [instant_of(slot["start"]) for day in data.values() for slot in day]
    except (AttributeError, KeyError, TypeError) as error:
        msg = "cal.com answered with slots that cannot be read"
        raise ProviderError(msg, permanent=False) from error


def instant_of(text: str) -> datetime:
    """Read an instant with its offset, in UTC. Raises ProviderError."""
    try:
        parsed = parse_datetime(text)
        if parsed is not None and parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    msg = "cal.com sent a time that cannot be read"
    raise ProviderError(msg, permanent=False)


def instant_text(instant: datetime) -> str:
    """Write an instant as they read it: in UTC, and saying so."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def appointments_of(data: Any) -> list[Appointment]:
    """Read a page of bookings; one that cannot be read must not hide the others."""
    return [appointment for item in _listed(data) if (appointment := _readable(item))]


def _readable(item: dict[str, Any]) -> Appointment | None:
    try:
        return appointment_of(item)
    except ProviderError as error:
        logger.warning("left out of a list: %s", error)
        return None


def _listed(data: Any) -> list[dict[str, Any]]:
    if not isinstance(data, list):
        msg = "cal.com answered with no list of bookings"
        raise ProviderError(msg, permanent=False)
    return [item for item in data if isinstance(item, dict)]


def _is_ours(item: dict[str, Any], request: AppointmentRequest) -> bool:
    reference = (item.get("metadata") or {}).get("reference")
    if reference is not None:
        return bool(reference == request.reference)
    # Metadata may be lost on their side; same client, type and start is ours all the same, as long as it stands.
    stands = item.get("status") in {"accepted", "pending"}
    return stands and instant_of(item.get("start", "")) == request.starts_at
