"""Charts: sessions, those that were missed, and how long clients who have paid wait for their confirmation."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from typing import TYPE_CHECKING

from django.db.models import CharField, Count, Min, OuterRef, Q, Subquery, Value
from django.db.models.functions import Cast, Concat

from bookings.models import Booking
from bookings.states import BookingState
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.desk.charts import Bar, Chart
from mindfulqalb.staff.desk.registry import Area, Viewer, panel
from mindfulqalb.staff.desk.weeks import Weeks
from payments.models import Payment
from payments.states import PaymentState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

COUNTED = (BookingState.CONFIRMED, BookingState.COMPLETED, BookingState.NO_SHOW)
# So many of the latest payments tell how it is now, and cost the same in every practice.
PAYMENTS_LOOKED_AT = 300
WAITS = ((10, "10 s"), (30, "30 s"), (60, "1 min"), (300, "5 min"), (3600, "1 h"))
LONGER = "longer"


@panel(Area.CHARTS, "bookings.view_booking")
def sessions(viewer: Viewer) -> list[Chart]:
    """Sessions a week, and how many of them the client missed."""
    weeks = Weeks.until(viewer.now)
    span = Booking.objects.visible_to(viewer.member).filter(
        state__in=COUNTED, held_for=None, starts_at__gte=weeks.begin, starts_at__lt=weeks.end
    )
    missed = Count("id", filter=Q(state=BookingState.NO_SHOW))
    by_week = span.annotate(week=weeks.of("starts_at")).values("week").annotate(total=Count("id"), missed=missed)
    found = list(by_week.order_by().values_list("week", "total", "missed"))
    return [
        _by_week("Sessions each week", "Sessions", weeks, {week: total for week, total, _ in found}),
        _by_week("Clients who did not come", "Missed", weeks, {week: count for week, _, count in found}),
    ]


@panel(Area.CHARTS, "bookings.view_ledgerentry")
def confirmation_times(_viewer: Viewer) -> list[Chart]:
    """How long the latest payments waited until their session was confirmed."""
    confirmed = AuditEvent.objects.filter(action="booking.confirmed", target=OuterRef("target")).order_by()
    paid = Payment.objects.filter(state=PaymentState.CAPTURED).order_by("-created_at")[:PAYMENTS_LOOKED_AT]
    target = Concat(Value("booking:"), Cast("id", CharField()))
    booked = Booking.objects.filter(payment__in=paid.values("provider_payment_id")).annotate(target=target)
    first = Subquery(confirmed.values("target").annotate(at=Min("occurred_at")).values("at"))
    moments = booked.annotate(confirmed_at=first).values_list("payment__captured_at", "confirmed_at")
    return [_waits((end - begin).total_seconds() for begin, end in moments if begin and end)]


def _by_week(title: str, column: str, weeks: Weeks, counts: dict[datetime, int]) -> Chart:
    bars = [Bar(week, count, str(count), str(count or "")) for week, count in weeks.figures(counts, 0)]
    return Chart(title, ("Week from", column), bars)


def _waits(seconds: Iterable[float]) -> Chart:
    names = [*(name for _, name in WAITS), LONGER]
    limits = [limit for limit, _ in WAITS]
    counts = Counter(names[bisect_left(limits, wait)] for wait in seconds)
    bars = [Bar(name, counts[name], str(counts[name]), str(counts[name] or "")) for name in names]
    return Chart("From payment to confirmation", ("Within", "Latest payments"), bars)
