"""The client's signed links: whoever has one may see and change that one booking."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from bookings.models import Booking
from mindfulqalb.api.tokens import (
    Claims,
    InvalidToken,
    issue_booking_token,
    issue_token,
    read_booking_token,
    read_token,
)

if TYPE_CHECKING:
    from datetime import datetime

# Receipts and questions come after the session.
VALID_AFTER_SESSION = timedelta(days=30)


def token_of(booking: Booking, *, now: datetime) -> str:
    """Sign the token of a booking's links."""
    return issue_booking_token(
        booking_id=booking.id,
        version=booking.link_version,
        now=now,
        expires_at=booking.ends_at + VALID_AFTER_SESSION,
    )


def manage_url(booking: Booking, *, now: datetime) -> str:
    """The client's page."""
    return f"{settings.SITE_URL}/manage/{token_of(booking, now=now)}"


def calendar_file_url(booking: Booking, *, now: datetime) -> str:
    """The .ics file."""
    return f"{manage_url(booking, now=now)}/session.ics"


def receipt_url(booking: Booking, number: str, *, now: datetime) -> str:
    """The page of a receipt."""
    return f"{manage_url(booking, now=now)}/receipts/{number}"


def booking_of_token(token: str, *, now: datetime) -> Booking:
    """Find the booking that a token opens. Raises InvalidToken for a forged, expired or revoked one."""
    claims = read_booking_token(token, now=now)
    booking = (
        Booking.objects.select_related("offer", "therapist", "payment", "consent")
        .filter(id=claims.booking_id, link_version=claims.version)
        .first()
    )
    if booking is None:
        raise InvalidToken
    return booking


def reminders_url(booking: Booking, *, now: datetime) -> str:
    """The page on which reminders are stopped; mail programs may keep its address, so it opens nothing else."""
    token = issue_token(
        audience="reminders",
        claims=Claims(subject=str(booking.id), version=booking.link_version),
        now=now,
        expires_at=booking.ends_at + VALID_AFTER_SESSION,
    )
    return f"{settings.SITE_URL}/reminders/{token}"


def booking_of_reminders_token(token: str, *, now: datetime) -> Booking:
    """Find the booking whose client may stop reminders. Raises InvalidToken."""
    claims = read_token(token, audience="reminders", now=now)
    booking = Booking.objects.filter(id=claims.subject, link_version=claims.version).first()
    if booking is None:
        raise InvalidToken
    return booking
