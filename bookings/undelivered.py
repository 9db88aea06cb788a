"""What a client has not been told, because the mail did not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from bookings.practice_time import local
from mindfulqalb.mail.queries import undelivered_about

if TYPE_CHECKING:
    from bookings.models import Booking

LINE_BREAK = SafeString("<br>")


def undelivered_mails(booking: Booking) -> SafeString | str:
    """List for staff the mails about a booking and its money that never reached the client."""
    subjects = [f"booking:{booking.id}"] + ([f"payment:{booking.payment.id}"] if booking.payment else [])
    lines = [
        (mail.template.replace("_", " "), f"{local(mail.sent_at):%d %B, %H:%M}", mail.undelivered_status)
        for mail in undelivered_about(subjects)
    ]
    return format_html_join(LINE_BREAK, "{}, {} ({}): please phone the client", lines) or "None"
