"""What a calendar must do. To add one: copy a file beside this one, and add a line to the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from datetime import datetime


class SlotRefused(ProviderError):
    """The calendar will not book this time: taken, outside its hours, too soon, or past."""

    def __init__(self, message: str) -> None:
        """Asking again for the same time is of no use."""
        super().__init__(message, permanent=True)


@dataclass(frozen=True)
class AppointmentRequest:
    """What to write into the calendar; `reference` is our booking's id, by which it is found again."""

    reference: str
    event_type: str
    starts_at: datetime
    name: str
    email: str
    phone: str | None
    time_zone: str
    locale: str
    asked_since: datetime


@dataclass(frozen=True)
class Appointment:
    """What stands in the calendar. It is not certain while a host must still accept it."""

    uid: str
    starts_at: datetime
    is_accepted: bool


class Calendar(Protocol):
    """A vendor who keeps the therapist's hours. Every method raises ProviderError, and nothing of the vendor's own."""

    def free_slots(self, *, event_type: str, start: datetime, end: datetime) -> list[datetime]:
        """List the starts in [start, end) that may be booked, in order, in UTC."""

    def book(self, request: AppointmentRequest, *, timeout: float) -> Appointment:
        """Write an appointment. Raises SlotRefused; any other error leaves open whether it was written."""

    def find(self, request: AppointmentRequest) -> Appointment | None:
        """Find an appointment that an unanswered call may have written; None proves nothing for half a minute."""

    def cancel(self, uid: str, *, reason: str) -> None:
        """Take an appointment out of the calendar; one that is gone already is no error."""

    def page_url(self, uid: str) -> str:
        """Where a client looks at the appointment."""
