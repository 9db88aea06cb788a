"""What a client has not been told, because the mail did not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Concat
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from bookings.models import Booking
from bookings.practice_time import local
from bookings.states import BookingState
from mindfulqalb.mail.queries import undelivered, undelivered_about
from mindfulqalb.staff.words import Topic, in_words

if TYPE_CHECKING:
    from datetime import datetime

    from bookings.models import BookingQuerySet

LINE_BREAK = SafeString("<br>")
AHEAD = (BookingState.PENDING, BookingState.CONFIRMED)


def unreached_bookings(*, now: datetime) -> BookingQuerySet:
    """Sessions to come of which a mail never arrived and was not sent again with success: somebody must phone."""
    named = Concat(Value("booking:"), Cast(OuterRef("id"), CharField()))
    ahead = Booking.objects.filter(state__in=AHEAD, starts_at__gt=now)
    return ahead.filter(Exists(undelivered().filter(about=named))).order_by("starts_at")


def undelivered_mails(booking: Booking) -> SafeString | str:
    """List for staff the mails about a booking and its money that never reached the client."""
    subjects = [f"booking:{booking.id}"] + ([f"payment:{booking.payment.id}"] if booking.payment else [])
    lines = [
        (in_words(Topic.MAIL, mail.template), f"{local(mail.sent_at):%d %B, %H:%M}", mail.undelivered_status)
        for mail in undelivered_about(subjects)
    ]
    return format_html_join(LINE_BREAK, "{}, {} ({}): please phone the client", lines) or "None"
