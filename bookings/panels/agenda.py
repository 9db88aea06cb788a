"""Today and the coming days, on the practice's clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from django.urls import reverse

from bookings.models import Booking
from bookings.practice_time import day_bounds, local
from bookings.states import BookingState
from mindfulqalb.staff.desk.items import Appointment, Day, list_url
from mindfulqalb.staff.desk.registry import Area, Viewer, panel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DAYS = 7
MOST = 200
SHOWN = (BookingState.PENDING, BookingState.CONFIRMED, BookingState.COMPLETED, BookingState.NO_SHOW)


@panel(Area.AGENDA, "bookings.view_booking")
def coming_days(viewer: Viewer) -> list[Day]:
    """Sessions from today on, a therapist's own or everybody's; today stands there first, even when it is free."""
    today = local(viewer.now).date()
    found = _sessions(viewer, today, today + timedelta(days=DAYS - 1))
    by_day = {day: list(rows) for day, rows in groupby(found, key=lambda each: local(each.starts_at).date())}
    has_many = len({booking.therapist_id for booking in found}) > 1
    return [
        Day(day, day == today, _list_of(day), _appointments(by_day.get(day, []), viewer.now, names_therapist=has_many))
        for day in sorted({today, *by_day})
    ]


def _sessions(viewer: Viewer, first: date, last: date) -> Sequence[Booking]:
    visible = Booking.objects.visible_to(viewer.member).filter(state__in=SHOWN, held_for=None)
    span = visible.filter(starts_at__gte=day_bounds(first)[0], starts_at__lt=day_bounds(last)[1])
    return list(span.select_related("offer", "therapist").order_by("starts_at", "id")[:MOST])


def _appointments(bookings: Iterable[Booking], now: datetime, *, names_therapist: bool) -> list[Appointment]:
    return [
        Appointment(
            begins=f"{local(booking.starts_at):%H:%M}",
            ends=f"{local(booking.ends_at):%H:%M}",
            title=booking.offer.title,
            client=initials(booking.customer_name),
            therapist=booking.therapist.name if names_therapist else "",
            note="" if booking.state == BookingState.CONFIRMED else str(BookingState(booking.state).label),
            url=reverse("admin:bookings_booking_change", args=[booking.id]),
            is_now=booking.starts_at <= now < booking.ends_at,
            is_over=booking.state in {BookingState.COMPLETED, BookingState.NO_SHOW},
        )
        for booking in bookings
    ]


def initials(name: str) -> str:
    """Enough for the therapist to know who comes, and for nobody who looks over a shoulder: `J. D.`."""
    return " ".join(f"{part[0].upper()}." for part in name.split())


def _list_of(day: date) -> str:
    begin, end = day_bounds(day)
    return list_url(Booking, starts_at__gte=begin.isoformat(), starts_at__lt=end.isoformat())
