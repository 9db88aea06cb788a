"""What a client asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from bookings.practice_time import instant_of, is_on_the_clock
from bookings.refusals import SlotNotOffered

if TYPE_CHECKING:
    from uuid import UUID

    from bookings.models import Booking
    from consent.evidence import Circumstances


@dataclass(frozen=True)
class Customer:
    """Who comes: `email` normalized by the API, `phone` in E.164 or None."""

    name: str
    email: str
    phone: str | None


@dataclass(frozen=True)
class Wish:
    """One session at one time for one person, in the practice's local time."""

    session_type: str
    session_format: str | None
    day: date
    clock: time
    customer: Customer
    consent_id: UUID | None
    consent_accepted: bool
    circumstances: Circumstances
    age_band: str = ""
    time_zone: str = ""
    opened: UUID | None = None
    """The booking whose token came along."""

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing but an email says whose it is."""
        return self.consent_id is None and self.opened is None

    def proves(self, booking: Booking) -> bool:
        """Whether it shows that a booking is its sender's: an email shows nothing, its token or consent's id does.

        A consent that the booking did not name was found by the email, and anybody may have given it.
        """
        named = booking.consent_named and self.consent_id is not None and self.consent_id == booking.consent_id
        return named or booking.id == self.opened

    @property
    def starts_at(self) -> datetime:
        """The instant that is meant. Raises SlotNotOffered for an hour that the clock leaves out."""
        if not is_on_the_clock(self.day, self.clock):
            raise SlotNotOffered(fields={"time": ["This time does not exist on that day."]})
        return instant_of(self.day, self.clock)


def require_bookable_time(starts_at: datetime, now: datetime) -> None:
    """Refuse what lies in the past or beyond the horizon. Raises SlotNotOffered naming the field."""
    if starts_at <= now:
        raise SlotNotOffered(fields={"date": ["This time has passed."]})
    if starts_at > now + timedelta(days=settings.BOOKING_HORIZON_DAYS):
        sentence = _("Bookings open %(days)s days ahead.") % {"days": settings.BOOKING_HORIZON_DAYS}
        raise SlotNotOffered(fields={"date": [sentence]})
