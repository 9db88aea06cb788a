"""The story of one session, for a person who was not there: what happened, when, by whom, and what is still to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bookings.credits import payments_of
from mindfulqalb.staff.stories import Chapter, chapters_about

if TYPE_CHECKING:
    from bookings.models import Booking


def story_of(booking: Booking, *, with_money: bool) -> list[Chapter]:
    """Tell what happened to a session, oldest first; amounts and payments only to those whose work is money."""
    subjects = [f"booking:{booking.id}"]
    if with_money:
        subjects += [f"payment:{payment.id}" for payment in payments_of(booking)]
    return chapters_about(subjects, with_money=with_money, with_reasons=True)
