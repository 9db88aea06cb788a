"""The pages that a booking's links lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.shortcuts import render

from mindfulqalb.sandbox.calcom.diary import BOOKING
from mindfulqalb.sandbox.clock import parse_iso
from mindfulqalb.sandbox.store import store

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


def booking_page(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a booking as its guest sees it at Cal.com."""
    return _show(request, "calcom_booking.html", uid)


def video_page(request: HttpRequest, uid: str) -> HttpResponse:
    """Show that the meeting's link works."""
    return _show(request, "calcom_video.html", uid)


def _show(request: HttpRequest, template: str, uid: str) -> HttpResponse:
    booking = store().get(BOOKING, uid)
    when = ""
    if booking:
        start = parse_iso(booking["start"]).astimezone(ZoneInfo(booking["attendee"]["timeZone"]))
        when = f"{start:%A %d %B %Y, %H:%M} ({booking['attendee']['timeZone']}), {booking['minutes']} minutes"
    context = {"booking": booking, "when": when}
    return render(request, f"sandbox/{template}", context, status=200 if booking else 404)
