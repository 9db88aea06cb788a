"""What the practice offers on Cal.com. One host owns all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.calcom.envelope import (
    CALCOM,
    EVENT_TYPES_VERSION,
    FALLBACK_VERSION,
    CalcomError,
    success,
    version,
)
from mindfulqalb.sandbox.calls import vendor_call
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.switches import switch

if TYPE_CHECKING:
    from django.http import HttpRequest

    from mindfulqalb.sandbox.answers import Answer

# Minutes and title; a code that is not here lasts an hour.
SESSIONS = {
    "individual-chat": (30, "Individual session (chat)"),
    "individual-audio": (45, "Individual session (audio)"),
    "individual-video": (60, "Individual session (video)"),
    "couples-audio": (60, "Couples session (audio)"),
    "couples-video": (90, "Couples session (video)"),
    "family-audio": (60, "Family session (audio)"),
    "family-video": (90, "Family session (video)"),
    "free": (15, "Free first call"),
}
HOST_ID = 1
SHORT_MINUTES, LONG_STEP_MINUTES = 30, 60
HOST_EMAIL = "therapist@mindfulqalb.example"


@dataclass(frozen=True)
class EventType:
    """One bookable kind of session."""

    id: int
    slug: str
    minutes: int
    title: str

    @property
    def step_minutes(self) -> int:
        """How far apart its slots begin: every half hour up to 30 minutes, else every hour."""
        return SHORT_MINUTES if self.minutes <= SHORT_MINUTES else LONG_STEP_MINUTES

    @property
    def requires_confirmation(self) -> bool:
        """Whether its bookings wait for the therapist's yes."""
        return self.id in switch("requiresConfirmation")


def event_types() -> list[EventType]:
    """Return the event types of the configuration."""
    return [_event_type(slug, int(number)) for slug, number in configuration().event_type_ids.items()]


def _event_type(slug: str, number: int) -> EventType:
    minutes, title = SESSIONS.get(slug, (60, slug.replace("-", " ").capitalize()))
    return EventType(number, slug, minutes, title)


def event_type_by_id(number: int) -> EventType | None:
    """Return the event type with this id, or None."""
    return next((event_type for event_type in event_types() if event_type.id == number), None)


def event_type_by_slug(slug: str, username: str) -> EventType | None:
    """Return the host's event type with this slug, or None. Raises CalcomError when the host is another."""
    if username != configuration().calcom_username:
        raise CalcomError(404, f"User with username {username} not found")
    return next((event_type for event_type in event_types() if event_type.slug == slug), None)


def host() -> dict[str, Any]:
    """Return the therapist as bookings name their host."""
    return {
        "id": HOST_ID,
        "name": configuration().practice_name,
        "email": HOST_EMAIL,
        "displayEmail": HOST_EMAIL,
        "username": configuration().calcom_username,
        "timeZone": configuration().time_zone,
    }


def _field(kind: str, label: str) -> dict[str, Any]:
    return {
        "isDefault": True,
        "type": kind,
        "slug": kind if kind != "textarea" else "notes",
        "required": kind != "textarea",
        "label": label,
        "placeholder": "",
        "disableOnPrefill": False,
        "hidden": False,
    }


def present_event_type(event_type: EventType) -> dict[str, Any]:
    """Return the event type as `GET /v2/event-types/{id}` shows it."""
    username = configuration().calcom_username
    return {
        "id": event_type.id,
        "ownerId": HOST_ID,
        "lengthInMinutes": event_type.minutes,
        "title": event_type.title,
        "slug": event_type.slug,
        "description": "",
        "locations": [{"type": "integration", "integration": "cal-video"}],
        "bookingFields": [
            _field("name", "your_name"),
            _field("email", "email_address"),
            _field("textarea", "additional_notes"),
        ],
        "recurrence": None,
        "disableGuests": False,
        "slotInterval": event_type.step_minutes,
        "minimumBookingNotice": 0,
        "beforeEventBuffer": 0,
        "afterEventBuffer": 0,
        "metadata": {},
        "price": 0,
        "currency": "usd",
        "lockTimeZoneToggleOnBookingPage": False,
        "seatsPerTimeSlot": None,
        "forwardParamsSuccessRedirect": None,
        "successRedirectUrl": None,
        "isInstantEvent": False,
        "scheduleId": 1,
        "hidden": False,
        "bookingRequiresAuthentication": False,
        "confirmationPolicy": _confirmation_policy(event_type),
        "users": [{"id": HOST_ID, "name": configuration().practice_name, "username": username}],
        "bookingUrl": f"https://cal.com/{username}/{event_type.slug}",
    }


def _confirmation_policy(event_type: EventType) -> dict[str, Any]:
    if event_type.requires_confirmation:
        return {"type": "always", "blockUnconfirmedBookingsInBooker": False, "disabled": False}
    return {"disabled": True}


@vendor_call(CALCOM, "event_types.get")
def get_event_type(request: HttpRequest, number: str) -> Answer:
    """`GET /v2/event-types/{id}`; without the version header in the shape of 2024-04-15."""
    event_type = event_type_by_id(int(number)) if number.isdigit() else None
    if event_type is None:
        raise CalcomError(404, f"Event type with id {number} not found")
    shown = present_event_type(event_type)
    old_shape = version(request, (EVENT_TYPES_VERSION,)) == FALLBACK_VERSION
    return success({"eventType": {**shown, "length": event_type.minutes}} if old_shape else shown)


@vendor_call(CALCOM, "me.get")
def get_me(request: HttpRequest) -> Answer:
    """`GET /v2/me`."""
    return success(
        {
            "id": HOST_ID,
            "username": configuration().calcom_username,
            "email": HOST_EMAIL,
            "name": configuration().practice_name,
            "avatarUrl": None,
            "bio": None,
            "timeFormat": 12,
            "defaultScheduleId": 1,
            "weekStart": "Monday",
            "timeZone": configuration().time_zone,
            "organizationId": None,
        }
    )
