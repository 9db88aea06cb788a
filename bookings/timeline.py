"""What bookings know about a payment."""

from __future__ import annotations

import re

from django.db.models import Q
from django.urls import reverse

from bookings.models import Booking
from bookings.practice_time import local
from mindfulqalb.staff.finding import MOST_FOUND
from payments.models import Payment
from payments.timeline import Purchase, knows_clients, knows_what_was_bought

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@knows_what_was_bought
def sessions_paid_by(payment: Payment) -> list[Purchase]:
    """Find the hold that a payment was made for, and every session that it was spent on."""
    first = payment.duplicate_of or payment  # whoever paid an order twice bought one session
    wanted = Q(payment=first) if first.provider_payment_id else Q(pk__in=[])
    if ID.fullmatch(first.reference):
        wanted |= Q(id=first.reference)
    sessions = Booking.objects.filter(wanted).select_related("offer").order_by("-created_at")
    return [_purchase(session) for session in sessions]


@knows_clients
def payments_of(digests: list[str]) -> Q:
    """Find what was paid, or was to be, for a client's sessions, second payments too.

    As ids: with subqueries in their stead PostgreSQL reads the whole table of payments.
    """
    theirs = Booking.objects.filter(Q(customer_email_hash__in=digests) | Q(customer_phone_hash__in=digests))
    bookings = theirs.order_by("-starts_at").values_list("id", "payment_id")[:MOST_FOUND]
    references, paid = [str(booking_id) for booking_id, _ in bookings], [payment for _, payment in bookings if payment]
    named = Payment.objects.filter(Q(provider_payment_id__in=paid) | Q(reference__in=references))
    ids = list(named.values_list("id", flat=True))
    return Q(id__in=[*ids, *Payment.objects.filter(duplicate_of__in=ids).values_list("id", flat=True)])


def _purchase(session: Booking) -> Purchase:
    when = f"{local(session.starts_at):%A %d %B %Y, %H:%M}"
    return Purchase(
        subject=f"booking:{session.id}",
        title=f"{when}: {session.offer.title} ({session.get_state_display()})",
        url=reverse("admin:bookings_booking_change", args=[session.pk]),
        permission="bookings.view_booking",
    )
