"""`GET /v2/bookings` and `GET /v2/bookings/{uid}`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.calcom import checking, diary
from mindfulqalb.sandbox.calcom.bookings import create_booking, find_booking, present
from mindfulqalb.sandbox.calcom.envelope import (
    BOOKINGS_VERSIONS,
    CALCOM,
    FALLBACK_VERSION,
    not_found,
    success,
    version,
)
from mindfulqalb.sandbox.calls import by_method, vendor_call
from mindfulqalb.sandbox.clock import now, parse_iso
from mindfulqalb.sandbox.store import Record

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

    from mindfulqalb.sandbox.answers import Answer

STATUSES = ("upcoming", "recurring", "past", "cancelled", "unconfirmed")
SORTS = {"sortStart": "start", "sortEnd": "end", "sortCreated": "createdAt", "sortUpdatedAt": "updatedAt"}
DEFAULT_TAKE, LARGEST_TAKE = 100, 250
Filter = Callable[[Record, str], bool]


def _is_whole(low: int, high: int) -> checking.Check:
    def check(value: object) -> str | None:
        good = str(value).isdigit() and low <= int(str(value)) <= high
        return None if good else f"must be a whole number from {low} to {high}"

    return check


def _is_order(value: object) -> str | None:
    return None if value in {"asc", "desc"} else "must be either 'asc' or 'desc'"


def _is_statuses(value: object) -> str | None:
    good = all(part in STATUSES for part in str(value).split(","))
    return None if good else f"must be one of the following values: {', '.join(STATUSES)}"


MOMENTS = ("afterStart", "beforeEnd", "afterCreatedAt", "beforeCreatedAt", "afterUpdatedAt", "beforeUpdatedAt")
QUERY: dict[str, checking.Check] = {
    "status": _is_statuses,
    "take": _is_whole(1, LARGEST_TAKE),
    "skip": _is_whole(0, 10**9),
    "eventTypeId": _is_whole(1, 10**9),
    **dict.fromkeys(SORTS, _is_order),
    **dict.fromkeys(MOMENTS, checking.is_moment),
    **dict.fromkeys(
        ("attendeeEmail", "attendeeName", "bookingUid", "eventTypeIds", "teamsIds", "teamId"), checking.is_text
    ),
}


def _moment(booking: Record, name: str) -> datetime:
    return parse_iso(booking[name])


def _has_status(booking: Record, wanted: str) -> bool:
    over = _moment(booking, "end") < now()
    gone = booking["status"] in {"cancelled", "rejected"}
    held = {
        "upcoming": not over and not gone and booking["status"] != "pending",
        "past": over and not gone,
        "cancelled": gone,
        "unconfirmed": not over and booking["status"] == "pending",
        "recurring": False,
    }
    return any(held[status] for status in wanted.split(","))


# The email is compared as it stands, capitals included, as at Cal.com.
FILTERS: dict[str, Filter] = {
    "status": _has_status,
    "attendeeEmail": lambda booking, value: booking["attendee"].get("email") == value,
    "attendeeName": lambda booking, value: bool(booking["attendee"]["name"] == value),
    "bookingUid": lambda booking, value: bool(booking["uid"] == value),
    "eventTypeId": lambda booking, value: str(booking["eventTypeId"]) == value,
    "eventTypeIds": lambda booking, value: str(booking["eventTypeId"]) in value.split(","),
    "teamId": lambda _booking, _value: False,
    "teamsIds": lambda _booking, _value: False,
    "afterStart": lambda booking, value: _moment(booking, "start") >= parse_iso(value),
    "beforeEnd": lambda booking, value: _moment(booking, "end") <= parse_iso(value),
    "afterCreatedAt": lambda booking, value: _moment(booking, "createdAt") >= parse_iso(value),
    "beforeCreatedAt": lambda booking, value: _moment(booking, "createdAt") <= parse_iso(value),
    "afterUpdatedAt": lambda booking, value: _moment(booking, "updatedAt") >= parse_iso(value),
    "beforeUpdatedAt": lambda booking, value: _moment(booking, "updatedAt") <= parse_iso(value),
}


@vendor_call(CALCOM, "bookings.list")
def list_bookings(request: HttpRequest) -> Answer:
    """`GET /v2/bookings`; without the version header in the shape of 2024-04-15."""
    given = request.GET.dict()
    old = version(request, BOOKINGS_VERSIONS) == FALLBACK_VERSION
    if not old:
        checking.complain_in_details(checking.problems_of(given, QUERY))
    found = _sorted([b for b in diary.bookings() if _matches(b, given)], given)
    if old:
        return success({"bookings": [_present_as_old(b) for b in found], "recurringInfo": [], "nextCursor": None})
    take, skip = int(given.get("take", DEFAULT_TAKE)), int(given.get("skip", 0))
    page = found[skip : skip + take]
    return success([present(b) for b in page], pagination=_pagination(len(found), len(page), take, skip))


def _matches(booking: Record, given: dict[str, Any]) -> bool:
    return all(FILTERS[name](booking, value) for name, value in given.items() if name in FILTERS)


def _sorted(found: list[Record], given: dict[str, Any]) -> list[Record]:
    found = sorted(found, key=lambda booking: str(booking["start"]))
    for parameter, name in SORTS.items():
        if parameter in given:
            found = sorted(found, key=lambda booking: str(booking[name]), reverse=given[parameter] == "desc")
    return found


def _pagination(total: int, returned: int, take: int, skip: int) -> dict[str, Any]:
    return {
        "totalItems": total,
        "remainingItems": max(0, total - skip - returned),
        "returnedItems": returned,
        "itemsPerPage": take,
        "currentPage": skip // take + 1,
        "totalPages": -(-total // take),
        "hasNextPage": skip + returned < total,
        "hasPreviousPage": skip > 0,
    }


@vendor_call(CALCOM, "bookings.get")
def get_booking(request: HttpRequest, uid: str) -> Answer:
    """`GET /v2/bookings/{uid}`; without the version header in the shape of 2024-04-15."""
    booking = find_booking(uid)
    if version(request, BOOKINGS_VERSIONS) == FALLBACK_VERSION:
        return success(_present_as_old(booking))
    return success(present(booking))


def _present_as_old(booking: Record) -> dict[str, Any]:
    return {
        "id": booking["id"],
        "uid": booking["uid"],
        "title": booking["title"],
        "startTime": booking["start"],
        "endTime": booking["end"],
        "status": booking["status"].upper(),
        "eventTypeId": booking["eventTypeId"],
        "attendees": [{"name": booking["attendee"]["name"], "email": booking["attendee"].get("email", "")}],
        "responses": booking["responses"],
        "metadata": booking["metadata"],
    }


bookings = by_method(GET=list_bookings, POST=create_booking, otherwise=not_found)
one_booking = by_method(GET=get_booking, otherwise=not_found)
