"""The endpoints of Cal.com that we use, behind the calendar protocol."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from django.conf import settings

from bookings.calendars.base import AlreadyGone, Appointment, AppointmentRequest
from bookings.calendars.calcom.api import CalcomApi
from bookings.calendars.calcom.budget import EVERYTHING, FOR_LISTINGS, IN_BACKGROUND, CallBudget
from bookings.calendars.calcom.translation import (
    appointment_of,
    appointments_of,
    best_match,
    booking_body,
    free_starts,
    instant_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# Our clock and theirs differ, and `asked_since` was written before the call left.
CLOCK_SLACK = timedelta(minutes=2)
PAGE = 100


class CalcomCalendar:
    """Cal.com behind the calendar protocol."""

    def __init__(
        self,
        *,
        api: CalcomApi,
        web_url: str,
        slots_version: str,
        bookings_version: str,
        share: float = EVERYTHING,
    ) -> None:
        """Make a client. A missing version header would silently choose another shape of the endpoint."""
        self._api = api
        self._web_url = web_url.rstrip("/")
        self._slots_version = slots_version
        self._bookings_version = bookings_version
        self._share = share

    @classmethod
    def from_settings(cls, *, in_background: bool = False) -> CalcomCalendar:
        """Make the calendar that the settings describe."""
        budget = CallBudget(calls_per_minute=settings.CALCOM_CALLS_PER_MINUTE)
        return cls(
            api=CalcomApi(url=settings.CALCOM_API_URL, key=settings.CALCOM_API_KEY, budget=budget),
            web_url=settings.CALCOM_WEB_URL,
            slots_version=settings.CALCOM_SLOTS_VERSION,
            bookings_version=settings.CALCOM_BOOKINGS_VERSION,
            share=IN_BACKGROUND if in_background else EVERYTHING,
        )

    def free_slots(self, *, event_type: str, start: datetime, end: datetime) -> list[datetime]:
        """List free starts. https://cal.com/docs/api-reference/v2/slots/get-available-time-slots-for-an-event-type

        An `end` at midnight UTC would be widened to the whole day, hence the second less, and the filter.
        """
        params = {
            "eventTypeId": event_type,
            "start": instant_text(start),
            "end": instant_text(end - timedelta(seconds=1)),
        }
        share = min(self._share, FOR_LISTINGS)
        data = self._api.call("GET", "slots", version=self._slots_version, share=share, params=params)
        return sorted({instant for instant in free_starts(data) if start <= instant < end})

    def book(self, request: AppointmentRequest, *, timeout: float) -> Appointment:
        """Write an appointment. https://cal.com/docs/api-reference/v2/bookings/create-a-booking

        There is no idempotency: our id goes into the metadata, and whoever gets no answer must look before asking
        again.
        """
        body = booking_body(request)
        data = self._api.call("POST", "bookings", version=self._bookings_version, json=body, timeout=timeout)
        return appointment_of(data)

    def find(self, request: AppointmentRequest) -> Appointment | None:
        """Look for our reference. https://cal.com/docs/api-reference/v2/bookings/get-all-bookings"""
        params = {
            "attendeeEmail": request.email.lower(),
            "eventTypeId": request.event_type,
            "afterCreatedAt": instant_text(request.asked_since - CLOCK_SLACK),
            "sortCreated": "desc",
            "take": "50",
        }
        data = self._api.call("GET", "bookings", version=self._bookings_version, share=self._share, params=params)
        return best_match(data, request)

    def appointment(self, uid: str) -> Appointment | None:
        """Read one. https://cal.com/docs/api-reference/v2/bookings/get-a-booking"""
        try:
            data = self._api.call("GET", _path(uid), version=self._bookings_version, share=self._share)
        except AlreadyGone:
            return None
        return appointment_of(data)

    def move(self, uid: str, *, starts_at: datetime, reason: str, timeout: float) -> Appointment:
        """Move one. https://cal.com/docs/api-reference/v2/bookings/reschedule-a-booking"""
        data = self._api.call(
            "POST",
            f"{_path(uid)}/reschedule",
            version=self._bookings_version,
            share=self._share,
            json={"start": instant_text(starts_at), "reschedulingReason": reason},
            timeout=timeout,
        )
        return appointment_of(data)

    def changed_since(self, since: datetime) -> Iterator[list[Appointment]]:
        """Page by the time of the last change, and not by number.

        What is changed while we read goes to the end of the list, and by number the next page would leave one out.
        """
        since, skip, is_last = since.replace(microsecond=0), 0, False
        while not is_last:
            page, is_last = self._page({"afterUpdatedAt": instant_text(since), "sortUpdatedAt": "asc"}, skip)
            yield [item for item in page if item.updated_at is None or item.updated_at >= since]
            latest = max((item.updated_at for item in page if item.updated_at), default=since).replace(microsecond=0)
            since, skip = (latest, 0) if latest > since else (since, skip + PAGE)

    def starting_between(self, start: datetime, end: datetime) -> Iterator[list[Appointment]]:
        """List by start. Their `beforeEnd` would leave out the last one, so the end is checked here."""
        skip, is_last = 0, False
        while not is_last:
            page, is_last = self._page({"afterStart": instant_text(start), "sortStart": "asc"}, skip)
            yield [item for item in page if start <= item.starts_at < end]
            is_last = is_last or any(item.starts_at >= end for item in page)
            skip += PAGE

    def _page(self, params: dict[str, str], skip: int) -> tuple[list[Appointment], bool]:
        """Read a page, and whether it is the last. https://cal.com/docs/api-reference/v2/bookings/get-all-bookings"""
        params |= {"take": str(PAGE), "skip": str(skip)}
        data = self._api.call("GET", "bookings", version=self._bookings_version, share=self._share, params=params)
        return appointments_of(data), len(data) < PAGE

    def cancel(self, uid: str, *, reason: str) -> None:
        """Cancel an appointment. https://cal.com/docs/api-reference/v2/bookings/cancel-a-booking

        The reason is mandatory for the host's key. Cancelled before, over, or unknown: there is nothing left to cancel.
        """
        with suppress(AlreadyGone):
            self._api.call(
                "POST", f"{_path(uid)}/cancel", version=self._bookings_version, json={"cancellationReason": reason}
            )

    def note_absence(self, uid: str, *, email: str, is_absent: bool) -> None:
        """Mark the attendee. https://cal.com/docs/api-reference/v2/bookings/mark-a-booking-absence

        Without `host`: whether the therapist came is none of our business.
        """
        body = {"attendees": [{"email": email, "absent": is_absent}]}
        path = f"{_path(uid)}/mark-absent"
        self._api.call("POST", path, version=self._bookings_version, share=self._share, json=body)

    def page_url(self, uid: str) -> str:
        """The booking's page on Cal.com."""
        return f"{self._web_url}/booking/{quote(uid, safe='')}"


def _path(uid: str) -> str:
    return f"bookings/{quote(uid, safe='')}"
