"""What can happen to a booking: cancelled, moved, confirmed, declined, nobody came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.calcom import checking, events
from mindfulqalb.sandbox.calcom.bookings import check_free, find_booking, present, save, span_from, write_booking
from mindfulqalb.sandbox.calcom.envelope import (
    BOOKINGS_VERSIONS,
    CALCOM,
    FALLBACK_VERSION,
    CalcomError,
    is_host,
    not_routed,
    success,
    version,
)
from mindfulqalb.sandbox.calcom.event_types import HOST_EMAIL, EventType, event_type_by_id
from mindfulqalb.sandbox.calls import vendor_call
from mindfulqalb.sandbox.clock import iso, now, parse_iso

if TYPE_CHECKING:
    from django.http import HttpRequest

    from mindfulqalb.sandbox.answers import Answer
    from mindfulqalb.sandbox.store import Record

CANCEL_BODY: dict[str, checking.Check] = {
    "cancellationReason": checking.is_text,
    "cancelSubsequentBookings": checking.is_flag,
    "seatUid": checking.is_text,
}
RESCHEDULE_BODY: dict[str, checking.Check] = {
    "start": checking.is_moment,
    "reschedulingReason": checking.is_text,
    "rescheduledBy": checking.is_email,
    "emailVerificationCode": checking.is_text,
}
DECLINE_BODY: dict[str, checking.Check] = {"reason": checking.is_text}
ABSENT_BODY: dict[str, checking.Check] = {
    "host": checking.is_flag,
    "attendees": lambda value: None if _is_attendance(value) else "must be an array of email and absent",
}
ALREADY_CONFIRMED = "Booking already confirmed"


def _is_attendance(value: object) -> bool:
    checks = {"email": checking.is_email, "absent": checking.is_flag}
    return isinstance(value, list) and all(
        isinstance(item, dict) and not checking.problems_of(item, checks, ("email", "absent")) for item in value
    )


def _check_version(request: HttpRequest) -> None:
    if version(request, BOOKINGS_VERSIONS) == FALLBACK_VERSION:
        raise not_routed(request)


@vendor_call(CALCOM, "bookings.cancel")
def cancel_booking(request: HttpRequest, uid: str) -> Answer:
    """`POST /v2/bookings/{uid}/cancel`."""
    _check_version(request)
    body = checking.read_body(request)
    checking.complain(checking.problems_of(body, CANCEL_BODY))
    booking = find_booking(uid)
    if is_host(request) and not body.get("cancellationReason"):
        raise CalcomError(400, "Cancellation reason is required")
    cancel(booking, body.get("cancellationReason", ""), HOST_EMAIL if is_host(request) else "")
    return success(present(booking))


def cancel(booking: Record, reason: str, by_email: str) -> None:
    """Cancel a booking. Raises CalcomError when that is no longer possible."""
    if booking["status"] in {"cancelled", "rejected"}:
        sentence = f"Can't cancel booking with uid={booking['uid']} because it has been cancelled already. "
        raise CalcomError(400, sentence + "Please provide uid of a booking that is not cancelled.")
    if parse_iso(booking["end"]) < now():
        raise CalcomError(400, "Cannot cancel a booking that has already ended")
    booking |= {"status": "cancelled", "cancellationReason": reason, "cancelledByEmail": by_email}
    save(booking)
    events.announce_cancelled(booking)


@vendor_call(CALCOM, "bookings.reschedule")
def reschedule_booking(request: HttpRequest, uid: str) -> Answer:
    """`POST /v2/bookings/{uid}/reschedule`: a new booking with a new uid; the old one reads cancelled."""
    _check_version(request)
    body = checking.read_body(request)
    checking.complain(checking.problems_of(body, RESCHEDULE_BODY, ("start",)))
    return success(present(reschedule(request, find_booking(uid), body)), 201)


def reschedule(request: HttpRequest, old: Record, body: dict[str, Any]) -> Record:
    """Move a booking and return the new one. Raises CalcomError when it is over or the time is not free."""
    _check_movable(old)
    event_type = _event_type_of(old)
    span = span_from(event_type, body["start"])
    check_free(span, moving_uid=old["uid"])
    by_email = body.get("rescheduledBy", "")
    waits = event_type.requires_confirmation and by_email != HOST_EMAIL
    kept = {name: old[name] for name in ("title", "attendee", "guests", "metadata", "responses")}
    told = {
        "rescheduledFromUid": old["uid"],
        "reschedulingReason": body.get("reschedulingReason", ""),
        "rescheduledByEmail": by_email,
    }
    new = write_booking(request, event_type, span, "pending" if waits else "accepted", kept | told)
    old |= {"status": "cancelled", "rescheduledToUid": new["uid"], "rescheduledByEmail": by_email}
    save(old)
    events.announce_rescheduled(old, new)
    return new


def _check_movable(old: Record) -> None:
    uid = old["uid"]
    if old.get("rescheduledToUid"):
        new = old["rescheduledToUid"]
        sentence = f"Can't reschedule booking with uid={uid} because it has been cancelled and rescheduled already to "
        advice = f"booking with uid={new}. You probably want to reschedule {new} instead by passing it within the "
        raise CalcomError(400, f"{sentence}{advice}request URL instead of {uid}")
    if old["status"] in {"cancelled", "rejected"}:
        sentence = f"Can't reschedule booking with uid={uid} because it has been cancelled. "
        raise CalcomError(400, sentence + "Please provide uid of a booking that is not cancelled.")


def _event_type_of(booking: Record) -> EventType:
    event_type = event_type_by_id(booking["eventTypeId"])
    if event_type is None:
        raise CalcomError(404, f"Event type with id {booking['eventTypeId']} not found.")
    return event_type


@vendor_call(CALCOM, "bookings.confirm")
def confirm_booking(request: HttpRequest, uid: str) -> Answer:
    """`POST /v2/bookings/{uid}/confirm`."""
    _check_version(request)
    booking = find_booking(uid)
    confirm(booking)
    return success(present(booking))


def confirm(booking: Record) -> None:
    """Accept a pending booking. Raises CalcomError."""
    if booking["status"] != "pending":
        raise CalcomError(400, ALREADY_CONFIRMED, code="TRPCError")
    check_free(span_from(_event_type_of(booking), booking["start"]))
    booking["status"] = "accepted"
    save(booking)
    events.announce_confirmed(booking)


@vendor_call(CALCOM, "bookings.decline")
def decline_booking(request: HttpRequest, uid: str) -> Answer:
    """`POST /v2/bookings/{uid}/decline`."""
    _check_version(request)
    body = checking.read_body(request)
    checking.complain_in_details(checking.problems_of(body, DECLINE_BODY))
    booking = find_booking(uid)
    decline(booking, body.get("reason", ""))
    return success(present(booking))


def decline(booking: Record, reason: str) -> None:
    """Reject a pending booking. Raises CalcomError."""
    if booking["status"] != "pending":
        raise CalcomError(400, ALREADY_CONFIRMED, code="TRPCError")
    booking |= {"status": "rejected", "rejectionReason": reason}
    save(booking)
    events.announce_rejected(booking)


@vendor_call(CALCOM, "bookings.mark_absent")
def mark_absent(request: HttpRequest, uid: str) -> Answer:
    """`POST /v2/bookings/{uid}/mark-absent`: only once the session has begun."""
    _check_version(request)
    body = checking.read_body(request)
    checking.complain_in_details(checking.problems_of(body, ABSENT_BODY))
    booking = find_booking(uid)
    emails = {item["email"]: item["absent"] for item in body.get("attendees", [])}
    absent = bool(emails.get(booking["attendee"].get("email", ""), booking["absent"]))
    set_absent(booking, absent=absent, host=bool(body.get("host", booking["absentHost"])))
    return success(present(booking))


def set_absent(booking: Record, *, absent: bool, host: bool) -> None:
    """Note who did not come. Raises CalcomError before the session has begun."""
    if parse_iso(booking["start"]) > now():
        sentence = "Bookings can only be marked as absent after their start time has passed."
        times = f"Current time in UTC+0: {iso(now())}, Booking start time in UTC+0: {booking['start']}"
        raise CalcomError(400, f"{sentence} {times}")
    booking |= {"absent": absent, "absentHost": host}
    save(booking)
    events.announce_no_show(booking)
