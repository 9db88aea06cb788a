"""`/v2/slots/reservations`: keeps a slot out of the listing for some minutes. It does not lock booking."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.answers import Answer
from mindfulqalb.sandbox.calcom import checking
from mindfulqalb.sandbox.calcom.diary import RESERVATION, Span, accepted_spans, reserved_spans
from mindfulqalb.sandbox.calcom.envelope import (
    CALCOM,
    SLOTS_VERSION,
    CalcomError,
    is_host,
    not_found,
    not_routed,
    success,
    version,
)
from mindfulqalb.sandbox.calcom.event_types import EventType, event_type_by_id
from mindfulqalb.sandbox.calls import by_method, vendor_call
from mindfulqalb.sandbox.clock import iso, now, parse_iso
from mindfulqalb.sandbox.store import Record, store

if TYPE_CHECKING:
    from django.http import HttpRequest

BODY: dict[str, checking.Check] = {
    "eventTypeId": checking.is_number,
    "slotStart": checking.is_moment,
    "slotDuration": checking.is_number,
    "reservationDuration": checking.is_number,
}
DEFAULT_MINUTES = 5
BOOKED = "Can't reserve a slot if the event is already booked."
RESERVED = "This time slot is already reserved by another user. Please choose a different time."
ONE_LENGTH = "You passed slotDuration but the event type does not have multiple possible lengths. Remove slotDuration."
ANONYMOUS = "reservationDuration can only be used for authenticated requests."


def _check_version(request: HttpRequest) -> None:
    if version(request, (SLOTS_VERSION,)) != SLOTS_VERSION:
        raise not_routed(request)


@vendor_call(CALCOM, "reservations.create")
def create_reservation(request: HttpRequest) -> Answer:
    """`POST /v2/slots/reservations`."""
    _check_version(request)
    uid = str(uuid.uuid4())
    return success(_reserve(request, uid), 201)


@vendor_call(CALCOM, "reservations.update")
def update_reservation(request: HttpRequest, uid: str) -> Answer:
    """`PATCH /v2/slots/reservations/{uid}`: does not except itself, so the same live slot is refused."""
    _check_version(request)
    if store().get(RESERVATION, uid) is None:
        raise CalcomError(404, f"Slot with uid={uid} not found")
    return success(_reserve(request, uid))


def _reserve(request: HttpRequest, uid: str) -> dict[str, Any]:
    body = checking.read_body(request)
    checking.complain_in_details(checking.problems_of(body, BODY, ("eventTypeId", "slotStart")))
    event_type = event_type_by_id(int(body["eventTypeId"]))
    if event_type is None:
        raise CalcomError(404, f"Event Type with ID={body['eventTypeId']} not found")
    _check_durations(request, body)
    span = _free_span(event_type, body["slotStart"])
    minutes = body.get("reservationDuration", DEFAULT_MINUTES)
    record = _record(uid, event_type, span, minutes)
    store().put(RESERVATION, uid, record)
    return {**_present(record), "reservationDuration": minutes}


def _check_durations(request: HttpRequest, body: dict[str, Any]) -> None:
    if "slotDuration" in body:
        raise CalcomError(400, ONE_LENGTH)
    if "reservationDuration" in body and not is_host(request):
        raise CalcomError(401, ANONYMOUS)


def _free_span(event_type: EventType, text: str) -> Span:
    start = parse_iso(text)
    span = Span(start, start + timedelta(minutes=event_type.minutes))
    if any(span.overlaps(other) for other in accepted_spans()):
        raise CalcomError(422, BOOKED)
    if any(span.overlaps(other) for other in reserved_spans()):
        raise CalcomError(422, RESERVED)
    return span


def _record(uid: str, event_type: EventType, span: Span, minutes: float) -> Record:
    return {
        "uid": uid,
        "eventTypeId": event_type.id,
        "start": iso(span.start),
        "end": iso(span.end),
        "minutes": event_type.minutes,
        "until": iso(now() + timedelta(minutes=minutes)),
    }


def _present(record: Record) -> dict[str, Any]:
    return {
        "eventTypeId": record["eventTypeId"],
        "slotStart": record["start"],
        "slotEnd": record["end"],
        "slotDuration": record["minutes"],
        "reservationUid": record["uid"],
        "reservationUntil": record["until"],
    }


@vendor_call(CALCOM, "reservations.get")
def get_reservation(request: HttpRequest, uid: str) -> Answer:
    """`GET /v2/slots/reservations/{uid}`: null when unknown; one that has run out is still shown."""
    _check_version(request)
    record = store().get(RESERVATION, uid)
    return success(_present(record) if record else None)


@vendor_call(CALCOM, "reservations.delete")
def delete_reservation(request: HttpRequest, uid: str) -> Answer:
    """`DELETE /v2/slots/reservations/{uid}`: the same answer whether it was there or not."""
    _check_version(request)
    store().remove(RESERVATION, uid)
    return Answer(200, {"status": "success"})


one_reservation = by_method(
    GET=get_reservation, PATCH=update_reservation, DELETE=delete_reservation, otherwise=not_found
)
reservations = by_method(POST=create_reservation, otherwise=not_found)
