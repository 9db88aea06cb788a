"""`POST /v2/bookings`, and bookings as every call shows them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.browser import public_url
from mindfulqalb.sandbox.calcom import checking, events
from mindfulqalb.sandbox.calcom.diary import BOOKING, Span, accepted_spans, bookings
from mindfulqalb.sandbox.calcom.envelope import (
    BOOKINGS_VERSIONS,
    CALCOM,
    FALLBACK_VERSION,
    NOT_AVAILABLE,
    CalcomError,
    success,
    version,
)
from mindfulqalb.sandbox.calcom.event_types import EventType, event_type_by_id, event_type_by_slug, host
from mindfulqalb.sandbox.calcom.slots import is_within_hours, is_within_window
from mindfulqalb.sandbox.calls import vendor_call
from mindfulqalb.sandbox.clock import iso, now, parse_iso
from mindfulqalb.sandbox.store import Record, store

if TYPE_CHECKING:
    from django.http import HttpRequest

    from mindfulqalb.sandbox.answers import Answer

BODY: dict[str, checking.Check] = {
    "start": checking.is_moment,
    "attendee": checking.is_attendee,
    "eventTypeId": checking.is_number,
    "bookingFieldsResponses": checking.is_object,
    "guests": checking.is_guests,
    "location": checking.is_object,
    "metadata": checking.is_metadata,
    "lengthInMinutes": checking.is_number,
    "recurrenceCount": checking.is_number,
    "instant": checking.is_flag,
    "routing": checking.is_object,
    **dict.fromkeys(
        ("eventTypeSlug", "username", "teamSlug", "organizationSlug", "meetingUrl", "emailVerificationCode"),
        checking.is_text,
    ),
}
NEWER_BODY = BODY | dict.fromkeys(("allowConflicts", "allowBookingOutOfBounds", "skipBookingLimits"), checking.is_flag)
UID_LETTERS = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
IN_THE_PAST = "Attempting to book a meeting in the past."
OUT_OF_BOUNDS = (
    "The event type can't be booked at the \"start\" time provided. This could be because it's too soon (violating the "
    "minimum booking notice) or too far in the future (outside the event's scheduling window). Try fetching available "
    'slots first using the GET /v2/slots endpoint and then make a booking with "start" time equal to one of the '
    "available slots."
)
ONE_LENGTH = "Can't specify 'lengthInMinutes' because event type does not have multiple possible lengths."
NOT_RECURRING = "Can't specify 'recurrenceCount' because event type is not recurring."
NOT_A_TEAM = "Instant bookings are only available for team event types."
LOCATION = {"type": "integration", "integration": "cal-video"}


@vendor_call(CALCOM, "bookings.create")
def create_booking(request: HttpRequest) -> Answer:
    """`POST /v2/bookings`. There is no idempotency: the same call again finds the slot taken."""
    asked = version(request, BOOKINGS_VERSIONS)
    body = checking.read_body(request)
    if asked == FALLBACK_VERSION:
        _complain_as_old_version(body)
    checking.complain(checking.problems_of(body, BODY if asked == "2024-08-13" else NEWER_BODY, ("start", "attendee")))
    event_type = _target(body)
    _check_options(body)
    span = span_from(event_type, body["start"])
    existing = _existing_request(event_type, span, body["attendee"])
    if existing is None:
        check_free(span)
    booking = existing or _make(request, event_type, span, body)
    if existing is None:
        events.announce_created(booking)
    return success(present(booking), 201)


def _complain_as_old_version(body: dict[str, Any]) -> None:
    """Refuse as 2024-04-15 does, whose body has other fields."""
    old: dict[str, checking.Check] = {"start": checking.is_text, "eventTypeId": checking.is_number}
    old |= dict.fromkeys(("end", "timeZone", "language", "eventTypeSlug"), checking.is_text)
    old |= dict.fromkeys(("responses", "metadata"), checking.is_object)
    problems = checking.problems_of(
        body, old, ("start", "eventTypeId", "responses", "timeZone", "language", "metadata")
    )
    checking.complain_in_details(problems)
    raise CalcomError(500, "Internal server error", bare=True)


def _target(body: dict[str, Any]) -> EventType:
    if body.get("eventTypeId") is not None:
        found, named = event_type_by_id(int(body["eventTypeId"])), f"id {body['eventTypeId']}"
    elif body.get("eventTypeSlug") and body.get("username"):
        found, named = event_type_by_slug(body["eventTypeSlug"], body["username"]), f"slug {body['eventTypeSlug']}"
    else:
        raise CalcomError(400, "Either eventTypeId or eventTypeSlug with username or teamSlug must be provided.")
    if found is None:
        raise CalcomError(404, f"Event type with {named} not found.")
    return found


def _check_options(body: dict[str, Any]) -> None:
    """Refuse what none of the practice's event types has."""
    for name, sentence in {
        "lengthInMinutes": ONE_LENGTH,
        "recurrenceCount": NOT_RECURRING,
        "instant": NOT_A_TEAM,
    }.items():
        if body.get(name):
            raise CalcomError(400, sentence)
    location = body.get("location")
    if location is not None and location != LOCATION:
        kind = location.get("type")
        raise CalcomError(400, f"Booking location with type {kind} not valid for the event type's locations.")


def span_from(event_type: EventType, text: str) -> Span:
    """Return the time that a booking of this event type takes."""
    start = parse_iso(text)
    return Span(start, start + timedelta(minutes=event_type.minutes))


def check_free(span: Span, *, moving_uid: str = "") -> None:
    """Refuse a time that is past, out of bounds, outside the hours or taken. Raises CalcomError."""
    if span.start < now():
        raise CalcomError(400, IN_THE_PAST)
    if not is_within_window(span):
        raise CalcomError(400, OUT_OF_BOUNDS)
    if not is_within_hours(span) or any(span.overlaps(other) for other in accepted_spans(moving_uid)):
        raise CalcomError(400, NOT_AVAILABLE)


def _existing_request(event_type: EventType, span: Span, attendee: dict[str, Any]) -> Record | None:
    """Find the same person's request for the same time: such event types answer it again instead of refusing."""
    if not event_type.requires_confirmation:
        return None
    for booking in bookings():
        same = booking["attendee"].get("email") == attendee.get("email") and booking["start"] == iso(span.start)
        if same and booking["status"] in {"pending", "accepted"} and booking["eventTypeId"] == event_type.id:
            return booking
    return None


def _make(request: HttpRequest, event_type: EventType, span: Span, body: dict[str, Any]) -> Record:
    attendee = {"language": "en", **body["attendee"]}
    details = {
        "title": f"{event_type.title} between {host()['name']} and {attendee['name']}",
        "attendee": attendee,
        "guests": body.get("guests") or [],
        "metadata": body.get("metadata") or {},
        "responses": {
            "name": attendee["name"],
            "email": attendee.get("email", ""),
            **(body.get("bookingFieldsResponses") or {}),
        },
    }
    status = "pending" if event_type.requires_confirmation else "accepted"
    return write_booking(request, event_type, span, status, details)


def write_booking(request: HttpRequest, event_type: EventType, span: Span, status: str, details: Record) -> Record:
    """Write a new booking and return it."""
    uid = "".join(secrets.choice(UID_LETTERS) for _ in range(22))
    moment = iso(now())
    booking = {
        "id": store().count("calcom.booking"),
        "uid": uid,
        "status": status,
        "start": iso(span.start),
        "end": iso(span.end),
        "eventTypeId": event_type.id,
        "slug": event_type.slug,
        "minutes": event_type.minutes,
        "location": f"{public_url(request)}/calcom/video/{uid}",
        "absentHost": False,
        "absent": False,
        "createdAt": moment,
        "updatedAt": moment,
        **details,
    }
    store().put(BOOKING, uid, booking)
    return booking


def save(booking: Record) -> None:
    """Write a changed booking."""
    booking["updatedAt"] = iso(now())
    store().put(BOOKING, booking["uid"], booking)


def find_booking(uid: str) -> Record:
    """Return the booking. Raises CalcomError 404."""
    booking = store().get(BOOKING, uid)
    if booking is None:
        raise CalcomError(404, f"Booking with uid={uid} was not found in the database")
    return booking


OPTIONAL = ("reschedulingReason", "rescheduledByEmail", "rescheduledFromUid", "rescheduledToUid")


def present(booking: Record) -> dict[str, Any]:
    """Return the booking as 2024-08-13 and 2026-02-25 show it."""
    shown = {
        "id": booking["id"],
        "uid": booking["uid"],
        "title": booking["title"],
        "description": "",
        "hosts": [host()],
        "status": booking["status"],
        "cancellationReason": booking.get("cancellationReason", ""),
        "cancelledByEmail": booking.get("cancelledByEmail", ""),
        "start": booking["start"],
        "end": booking["end"],
        "duration": booking["minutes"],
        "eventTypeId": booking["eventTypeId"],
        "eventType": {"id": booking["eventTypeId"], "slug": booking["slug"]},
        "attendees": [_present_attendee(booking)],
        "guests": booking["guests"],
        "location": booking["location"],
        "meetingUrl": booking["location"],
        "absentHost": booking["absentHost"],
        "createdAt": booking["createdAt"],
        "updatedAt": booking["updatedAt"],
        "rating": None,
        "icsUid": f"{booking['uid']}@Cal.com",
        "metadata": booking["metadata"],
        "bookingFieldsResponses": booking["responses"],
    }
    return shown | {name: booking[name] for name in OPTIONAL if booking.get(name)}


def _present_attendee(booking: Record) -> dict[str, Any]:
    attendee = booking["attendee"]
    email = attendee.get("email") or f"{attendee['phoneNumber'].lstrip('+')}@sms.cal.com"
    shown = {
        "name": attendee["name"],
        "email": email,
        "displayEmail": email,
        "timeZone": attendee["timeZone"],
        "language": attendee["language"],
        "absent": booking["absent"],
    }
    return shown | ({"phoneNumber": attendee["phoneNumber"]} if attendee.get("phoneNumber") else {})
