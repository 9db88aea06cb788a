"""Cal.com's webhooks, in the shape of webhook version 2021-10-20."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mindfulqalb.sandbox import webhooks
from mindfulqalb.sandbox.calcom.event_types import HOST_EMAIL, HOST_ID, event_type_by_id, host
from mindfulqalb.sandbox.clock import iso, now, parse_iso

if TYPE_CHECKING:
    from datetime import datetime

    from mindfulqalb.sandbox.store import Record


def announce_created(booking: Record) -> None:
    """Tell of a new booking; of a request, when it waits for the therapist."""
    if booking["status"] == "pending":
        _send("BOOKING_REQUESTED", {**_payload(booking), "metadata": booking["metadata"]})
    else:
        _send("BOOKING_CREATED", {**_payload(booking), "metadata": booking["metadata"] | _video(booking)})


def announce_confirmed(booking: Record) -> None:
    """Tell that the therapist said yes. The caller's metadata is missing here, as it is at Cal.com."""
    _send("BOOKING_CREATED", {**_payload(booking), "metadata": _video(booking)})


def announce_rescheduled(old: Record, new: Record) -> None:
    """Tell of a move: the new booking's uid, and the old one as rescheduleUid."""
    if new["status"] == "pending":
        announce_created(new)
        return
    moved = {
        "rescheduleId": old["id"],
        "rescheduleUid": old["uid"],
        "rescheduleStartTime": _seconds(old["start"]),
        "rescheduleEndTime": _seconds(old["end"]),
        "metadata": new["metadata"] | _video(new),
        "iCalSequence": 1,
    }
    _send("BOOKING_RESCHEDULED", _payload(new) | moved)


def announce_cancelled(booking: Record) -> None:
    """Tell of a cancellation: no metadata, and times with an offset."""
    payload = _payload(booking) | {
        "startTime": _with_offset(booking["start"]),
        "endTime": _with_offset(booking["end"]),
        "cancellationReason": booking.get("cancellationReason", ""),
        "cancelledBy": booking.get("cancelledByEmail", ""),
        "requestReschedule": False,
        "iCalSequence": 2,
    }
    _send("BOOKING_CANCELLED", payload)


def announce_rejected(booking: Record) -> None:
    """Tell that the therapist said no: no metadata."""
    times = {"startTime": booking["start"], "endTime": booking["end"]}
    _send("BOOKING_REJECTED", _payload(booking) | times | {"rejectionReason": booking.get("rejectionReason", "")})


def announce_no_show(booking: Record) -> None:
    """Tell who did not come; the key is bookingUid here."""
    email = booking["attendee"].get("email", "")
    mark = "marked" if booking["absent"] else "unmarked"
    payload = {
        "message": f"{email} {mark} as no-show",
        "attendees": [{"email": email, "noShow": booking["absent"]}],
        "bookingUid": booking["uid"],
        "bookingId": booking["id"],
    }
    _send("BOOKING_NO_SHOW_UPDATED", payload)


def announce_meeting(trigger: str, booking: Record) -> None:
    """Tell that a meeting began or ended: flat, and `createdAt` is the booking's."""
    webhooks.announce("calcom", [webhooks.Event(trigger, "", {"triggerEvent": trigger, **_flat(booking)})])


def _flat(booking: Record) -> dict[str, Any]:
    attendee = booking["attendee"]
    return {
        "id": booking["id"],
        "uid": booking["uid"],
        "userId": HOST_ID,
        "userPrimaryEmail": HOST_EMAIL,
        "eventTypeId": booking["eventTypeId"],
        "title": booking["title"],
        "startTime": booking["start"],
        "endTime": booking["end"],
        "createdAt": booking["createdAt"],
        "updatedAt": booking["updatedAt"],
        "status": booking["status"].upper(),
        "paid": False,
        "metadata": booking["metadata"],
        "noShowHost": booking["absentHost"],
        "user": {key: host()[key] for key in ("email", "name", "timeZone", "username")},
        "attendees": [
            {
                "id": booking["id"],
                "email": attendee.get("email", ""),
                "name": attendee["name"],
                "timeZone": attendee["timeZone"],
                "phoneNumber": attendee.get("phoneNumber"),
                "locale": attendee["language"],
                "bookingId": booking["id"],
                "noShow": booking["absent"],
            }
        ],
    }


def _send(trigger: str, payload: dict[str, Any]) -> None:
    body = {"triggerEvent": trigger, "createdAt": iso(now()), "payload": payload}
    webhooks.announce("calcom", [webhooks.Event(trigger, "", body)])


def _payload(booking: Record) -> dict[str, Any]:
    event_type = event_type_by_id(booking["eventTypeId"])
    return {
        "bookerUrl": "https://cal.com",
        "type": booking["slug"],
        "title": booking["title"],
        "description": "",
        "additionalNotes": booking["responses"].get("notes", ""),
        "customInputs": {},
        "startTime": _seconds(booking["start"]),
        "endTime": _seconds(booking["end"]),
        "organizer": _organizer(booking),
        "attendees": [_attendee(booking)],
        "responses": _responses(booking),
        "userFieldsResponses": {},
        "location": "integrations:daily",
        "destinationCalendar": None,
        "iCalUID": f"{booking['uid']}@Cal.com",
        "iCalSequence": 0,
        "requiresConfirmation": bool(event_type and event_type.requires_confirmation),
        "eventTypeId": booking["eventTypeId"],
        "schedulingType": None,
        "seatsPerTimeSlot": None,
        "uid": booking["uid"],
        "eventTitle": event_type.title if event_type else booking["title"],
        "eventDescription": "",
        "price": 0,
        "currency": "usd",
        "length": booking["minutes"],
        "bookingId": booking["id"],
        "status": booking["status"].upper(),
    }


def _organizer(booking: Record) -> dict[str, Any]:
    therapist = host()
    return {
        "id": therapist["id"],
        "name": therapist["name"],
        "email": therapist["email"],
        "username": therapist["username"],
        "usernameInOrg": therapist["username"],
        "timeZone": therapist["timeZone"],
        "language": {"locale": "en"},
        "timeFormat": "h:mma",
        "utcOffset": _offset_minutes(booking["start"], therapist["timeZone"]),
    }


def _attendee(booking: Record) -> dict[str, Any]:
    attendee = booking["attendee"]
    first, _, last = attendee["name"].partition(" ")
    return {
        "email": attendee.get("email", ""),
        "name": attendee["name"],
        "firstName": first,
        "lastName": last,
        "timeZone": attendee["timeZone"],
        "phoneNumber": attendee.get("phoneNumber"),
        "language": {"locale": attendee["language"]},
        "utcOffset": _offset_minutes(booking["start"], attendee["timeZone"]),
    }


def _responses(booking: Record) -> dict[str, Any]:
    labels = {"name": "your_name", "email": "email_address", "notes": "additional_notes"}
    return {
        slug: {"label": labels.get(slug, slug), "value": value, "isHidden": False}
        for slug, value in booking["responses"].items()
    }


def _video(booking: Record) -> dict[str, str]:
    return {"videoCallUrl": booking["location"]}


def _offset_minutes(text: str, zone: str) -> int:
    offset = parse_iso(text).astimezone(ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0


def _seconds(text: str) -> str:
    return parse_iso(text).strftime("%Y-%m-%dT%H:%M:%SZ")


def _with_offset(text: str) -> str:
    moment: datetime = parse_iso(text)
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
