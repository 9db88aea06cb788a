"""The therapist's calendar, week by week, with what a therapist can do to a booking."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from mindfulqalb.sandbox.calcom.diary import bookings, live_reservations
from mindfulqalb.sandbox.calcom.event_types import event_type_by_id
from mindfulqalb.sandbox.clock import now, parse_iso
from mindfulqalb.sandbox.configuration import configuration
from mindfulqalb.sandbox.pages.frame import local, show

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from mindfulqalb.sandbox.store import Record

DAYS = 7


def calendar_page(request: HttpRequest) -> HttpResponse:
    """Show one week from its Monday."""
    today = local(now()).date()
    monday = _monday(request.GET.get("week", ""), today)
    shown = [_presented(booking) for booking in sorted(bookings(), key=lambda booking: str(booking["start"]))]
    days = [_day(monday + timedelta(days=number), shown, today) for number in range(DAYS)]
    sunday = monday + timedelta(days=DAYS - 1)
    context = {
        "zone": configuration().time_zone,
        "title": f"{monday:%d %B} to {sunday:%d %B %Y}",
        "previous": (monday - timedelta(days=DAYS)).isoformat(),
        "following": (monday + timedelta(days=DAYS)).isoformat(),
        "other_week": _other_week(shown, sunday),
        "days": days,
        "total": len(shown),
        "reservations": live_reservations(),
    }
    return show(request, "calendar.html", context)


def _monday(text: str, today: date) -> date:
    try:
        chosen = date.fromisoformat(text)
    except ValueError:
        chosen = today
    return chosen - timedelta(days=chosen.weekday())


def _other_week(shown: list[dict[str, Any]], sunday: date) -> str:
    later = [booking["date"] for booking in shown if booking["date"] > sunday]
    return min(later).isoformat() if later else ""


def _day(day: date, shown: list[dict[str, Any]], today: date) -> dict[str, Any]:
    found = [booking for booking in shown if booking["date"] == day]
    return {"title": f"{day:%a %d %b}", "is_today": day == today, "bookings": found}


def _presented(booking: Record) -> dict[str, Any]:
    start, end = local(parse_iso(booking["start"])), local(parse_iso(booking["end"]))
    event_type = event_type_by_id(booking["eventTypeId"])
    return {
        **booking,
        "date": start.date(),
        "time": f"{start:%H:%M}\u2013{end:%H:%M}",
        "kind": event_type.title if event_type else booking["slug"],
        "name": booking["attendee"]["name"],
        "local_start": start.isoformat(timespec="minutes"),
        "changes": _changes(booking),
        "is_movable": booking["status"] in {"accepted", "pending"},
    }


def _changes(booking: Record) -> list[dict[str, str]]:
    names: dict[str, str] = {}
    if booking["status"] == "pending":
        names |= {"confirm": "Confirm", "decline": "Decline"}
    if booking["status"] in {"accepted", "pending"}:
        names |= {"cancel": "Cancel"}
    if booking["status"] == "accepted" and parse_iso(booking["start"]) < now():
        names |= {"no-show": "Client did not come", "meeting-ended": "Meeting ended"}
    return [{"name": name, "title": title} for name, title in names.items()]
