"""Sessions that wait for the calendar, and money that waits for a session, in numbers for a monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Min, Q

from bookings.models import Booking, CalendarFinding, FindingKind
from bookings.services.unplaced import waiting_payments
from bookings.states import BookingState
from bookings.undelivered import unreached_bookings
from mindfulqalb.observability.metrics import gauge

if TYPE_CHECKING:
    from datetime import datetime


@gauge("placement_seconds", "How long the booking that waits longest for the calendar has waited.")
def placement_seconds(now: datetime) -> float:
    """Measure from the last change of a PENDING booking."""
    oldest = Booking.objects.filter(state=BookingState.PENDING).aggregate(oldest=Min("updated_at"))["oldest"]
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


@gauge("unreached_bookings", "Sessions to come of which a mail never reached the client.")
def unreached(now: datetime) -> float:
    """Count them."""
    return unreached_bookings(now=now).count()


@gauge("calendar_findings", "What the calendar and we do not agree on just now, by kind.", label="kind")
def calendar_findings(now: datetime) -> dict[str, float]:
    """Count what is open; of what stands here, as long as it is booked."""
    stands = Q(booking=None) | Q(booking__state=BookingState.CONFIRMED) | Q(kind=FindingKind.IN_DOUBT)
    counted = CalendarFinding.objects.filter(stands, settled_at=None).values_list("kind").annotate(Count("id"))
    return dict.fromkeys(FindingKind.values, 0.0) | {kind: float(count) for kind, count in counted}


@gauge("unplaced_payments", "Captured payments that have bought no session and gone nowhere yet.")
def unplaced(now: datetime) -> float:
    """Count them."""
    return waiting_payments(now=now).count()
