"""`GET /v2/slots`: what is free, from the therapist's hours, bookings and reservations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from mindfulqalb.sandbox.calcom import checking
from mindfulqalb.sandbox.calcom.diary import Span, accepted_spans, reserved_spans
from mindfulqalb.sandbox.calcom.envelope import CALCOM, SLOTS_VERSION, CalcomError, not_routed, success, version
from mindfulqalb.sandbox.calcom.event_types import EventType, event_type_by_id, event_type_by_slug
from mindfulqalb.sandbox.calls import vendor_call
from mindfulqalb.sandbox.clock import iso, now, parse_iso
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.switches import switch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from mindfulqalb.sandbox.answers import Answer

QUERY: dict[str, checking.Check] = {
    "start": checking.is_moment,
    "end": checking.is_moment,
    "timeZone": checking.is_zone,
    "format": lambda value: None if value in {"time", "range"} else "must be one of the following values: range, time",
    "duration": lambda value: None if str(value).isdigit() else "must be a number string",
    "eventTypeId": lambda value: None if str(value).isdigit() else "must be a number",
    **dict.fromkeys(
        ("bookingUidToReschedule", "eventTypeSlug", "username", "teamSlug", "organizationSlug", "usernames"),
        checking.is_text,
    ),
}
BAD_RANGE = "Invalid time range given - check the 'start' and 'end' query parameters."
NO_TARGET = (
    "Slots query must include eventTypeId, or eventTypeSlug and username, or eventTypeSlug and teamSlug, or usernames"
)


@dataclass(frozen=True)
class Query:
    """A slots query, read and checked."""

    event_type: EventType
    start: datetime
    end: datetime
    zone: ZoneInfo | None
    as_range: bool
    ignored_uid: str


@vendor_call(CALCOM, "slots.list")
def list_slots(request: HttpRequest) -> Answer:
    """`GET /v2/slots`."""
    if version(request, (SLOTS_VERSION,)) != SLOTS_VERSION:
        raise not_routed(request)
    query = _read_query(request.GET.dict())
    days: dict[str, list[dict[str, Any]]] = {}
    for span in free_spans(query.event_type, query.start, query.end, query.ignored_uid):
        local = span.start.astimezone(query.zone or UTC)
        days.setdefault(local.date().isoformat(), []).append(_present(span, query))
    return success(days)


def _read_query(given: dict[str, Any]) -> Query:
    checking.complain(checking.problems_of(given, QUERY, ("start", "end")))
    start, end = parse_iso(given["start"]), _end_of_range(given["end"])
    if start >= end:
        raise CalcomError(400, BAD_RANGE)
    return Query(
        event_type=_target(given),
        start=start,
        end=end,
        zone=ZoneInfo(given["timeZone"]) if given.get("timeZone") else None,
        as_range=given.get("format") == "range",
        ignored_uid=given.get("bookingUidToReschedule", ""),
    )


def _end_of_range(text: str) -> datetime:
    """Read the end; midnight in UTC is widened to the end of that day, as Cal.com does."""
    end = parse_iso(text)
    if (end.hour, end.minute, end.second) == (0, 0, 0):
        return end.replace(hour=23, minute=59, second=59)
    return end


def _target(given: dict[str, Any]) -> EventType:
    found = None
    if given.get("eventTypeId"):
        found = event_type_by_id(int(given["eventTypeId"]))
    elif given.get("eventTypeSlug") and given.get("username"):
        found = event_type_by_slug(given["eventTypeSlug"], given["username"])
    elif given.get("eventTypeSlug") and given.get("teamSlug"):
        raise CalcomError(404, f"Team with slug {given['teamSlug']} not found")
    elif not given.get("usernames"):
        raise CalcomError(400, NO_TARGET)
    if found is None:
        raise CalcomError(404, "Event Type not found")
    return found


def _present(span: Span, query: Query) -> dict[str, str]:
    shown = {"start": _written(span.start, query.zone)}
    if query.as_range:
        shown["end"] = _written(span.end, query.zone)
    return shown


def _written(moment: datetime, zone: ZoneInfo | None) -> str:
    if zone is None:
        return iso(moment)
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def free_spans(event_type: EventType, start: datetime, end: datetime, ignored_uid: str = "") -> list[Span]:
    """Return the free slots that begin in [start, end], in order."""
    busy = accepted_spans(ignored_uid) + reserved_spans()
    begin = max(start, now())
    return [
        span
        for span in _working_spans(event_type, start, end)
        if begin <= span.start <= end and not any(span.overlaps(other) for other in busy)
    ]


def _working_spans(event_type: EventType, start: datetime, end: datetime) -> Iterator[Span]:
    zone = ZoneInfo(configuration().time_zone)
    today = now().astimezone(zone).date()
    day = max(start.astimezone(zone).date(), today)
    last = min(end.astimezone(zone).date(), today + timedelta(days=switch("availableDays")))
    length = timedelta(minutes=event_type.minutes)
    while day <= last:
        hours = working_hours(day)
        at = hours.start if hours else None
        while hours and at and at + length <= hours.end:
            yield Span(at, at + length)
            at += timedelta(minutes=event_type.step_minutes)
        day += timedelta(days=1)


def working_hours(day: date) -> Span | None:
    """Return the therapist's hours on a local day, or None on a day off."""
    if day.isoweekday() not in switch("availableWeekdays"):
        return None
    zone = ZoneInfo(configuration().time_zone)
    opening, closing = (time.fromisoformat(switch(name)) for name in ("availableFrom", "availableTo"))
    return Span(
        datetime.combine(day, opening, zone).astimezone(UTC), datetime.combine(day, closing, zone).astimezone(UTC)
    )


def is_within_hours(span: Span) -> bool:
    """Say whether a session lies within the hours of its local day."""
    hours = working_hours(span.start.astimezone(ZoneInfo(configuration().time_zone)).date())
    return hours is not None and hours.start <= span.start and span.end <= hours.end


def is_within_window(span: Span) -> bool:
    """Say whether a session is not too far ahead."""
    return span.start <= now() + timedelta(days=switch("availableDays") + 1)
