"""What a calendar must do. To add one: copy the folder beside this file, and change the registry in `__init__.py`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta


class SlotRefused(ProviderError):
    """The calendar will not book this time: taken, outside its hours, too soon, or past."""

    def __init__(self, message: str) -> None:
        """Asking again for the same time is of no use."""
        super().__init__(message, permanent=True)


class AlreadyGone(ProviderError):
    """What should be cancelled stands in the calendar no more."""

    def __init__(self, message: str) -> None:
        """Asking again is of no use."""
        super().__init__(message, permanent=True)


class CalendarBusy(ProviderError):
    """Too many calls, by our own count or by the calendar's: this one was certainly not carried out."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        """Keep when there is use in asking again."""
        super().__init__(message, permanent=False, retry_after=retry_after)


class KeyRefused(ProviderError):
    """The calendar does not take our key: this one was certainly not carried out, and people mend it."""

    def __init__(self, message: str) -> None:
        """Asking again is of use, once the key is mended."""
        super().__init__(message, permanent=False)


class CalendarFault(ProviderError):
    """The calendar answered that it failed. What it was asked to write may stand there all the same."""

    def __init__(self, message: str) -> None:
        """Asking again is of use, after looking."""
        super().__init__(message, permanent=False)


# Neither of these can have written anything.
NOT_CARRIED_OUT = (CalendarBusy, KeyRefused)


class AppointmentState(Enum):
    """How an appointment stands: it is not certain while a host must still accept it."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"


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
    """What stands in the calendar, or stood there."""

    uid: str
    starts_at: datetime
    state: AppointmentState
    ends_at: datetime | None = None
    event_type: str = ""
    reference: str = ""
    # A move makes a new appointment: the old one names it, and it names the old one.
    moved_to: str = ""
    moved_from: str = ""
    # The emails of whoever cancelled it, and of whoever moved it here. The calendar has only their own word for it, and
    # often none; those who may speak for the practice are its hosts.
    changed_by: str = ""
    moved_by: str = ""
    host_emails: tuple[str, ...] = ()
    client_name: str = ""
    client_email: str = ""
    is_client_absent: bool = False
    updated_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether a host has declined or cancelled it."""
        return self.state in {AppointmentState.DECLINED, AppointmentState.CANCELLED}


class Calendar(Protocol):
    """A vendor who keeps the therapist's hours. Every method raises ProviderError, and nothing of the vendor's own."""

    def free_slots(self, *, event_type: str, start: datetime, end: datetime) -> list[datetime]:
        """List the starts in [start, end) that may be booked, in order, in UTC."""

    def book(self, request: AppointmentRequest, *, timeout: float) -> Appointment:
        """Write an appointment.

        Raises SlotRefused. Another permanent error, CalendarBusy or KeyRefused means that nothing was written; any
        other leaves it open.
        """

    def find(self, request: AppointmentRequest) -> Appointment | None:
        """Find an appointment that an unanswered call may have written; None proves nothing for half a minute.

        One that a host has declined or cancelled is found too, by our reference: whoever looks must not book again.
        """

    def appointment(self, uid: str) -> Appointment | None:
        """Read one; None when the calendar does not know it."""

    def move(self, uid: str, *, starts_at: datetime, reason: str, timeout: float) -> Appointment:
        """Move an appointment; it gets another uid. The same one can be moved only once.

        Raises AlreadyGone when it was moved or cancelled before, and for the rest as `book` does.
        """

    def changed_since(self, since: datetime) -> Iterator[list[Appointment]]:
        """Yield what was changed from then on, oldest change first, page by page."""

    def starting_between(self, start: datetime, end: datetime) -> Iterator[list[Appointment]]:
        """Yield what begins in [start, end), page by page, in whatever state."""

    def cancel(self, uid: str, *, reason: str) -> None:
        """Take an appointment out of the calendar; one that is gone already is no error."""

    def note_absence(self, uid: str, *, email: str, is_absent: bool) -> None:
        """Note whether the client, by the email that stands in the calendar, came to what has begun."""

    def page_url(self, uid: str) -> str:
        """Where a client looks at the appointment."""
