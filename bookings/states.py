"""The states of a booking and the moves between them."""

from __future__ import annotations

from django.db import models


class BookingState(models.TextChoices):
    """Where a session stands."""

    HELD = "HELD", "Held while the client pays"
    PENDING = "PENDING", "Being written into the calendar"
    CONFIRMED = "CONFIRMED", "Confirmed"
    REJECTED = "REJECTED", "Refused by the calendar"
    EXPIRED = "EXPIRED", "Hold ran out"
    CANCELLED = "CANCELLED", "Cancelled"
    COMPLETED = "COMPLETED", "Completed"
    NO_SHOW = "NO_SHOW", "Client did not come"


ALLOWED = {
    BookingState.HELD: {BookingState.PENDING, BookingState.EXPIRED, BookingState.CANCELLED},
    BookingState.EXPIRED: {BookingState.PENDING},  # paid late, and the slot is still free
    BookingState.PENDING: {BookingState.CONFIRMED, BookingState.REJECTED, BookingState.CANCELLED},
    BookingState.CONFIRMED: {BookingState.CANCELLED, BookingState.COMPLETED, BookingState.NO_SHOW},
    BookingState.REJECTED: set[BookingState](),
    BookingState.CANCELLED: set[BookingState](),
    # A therapist notes it after the session, and may take it back.
    BookingState.COMPLETED: {BookingState.NO_SHOW},
    BookingState.NO_SHOW: {BookingState.COMPLETED},
}

# These keep the therapist's hour; the exclusion constraint counts the same ones.
OCCUPYING = (BookingState.HELD, BookingState.PENDING, BookingState.CONFIRMED)
# These are booked, and still to come or just over.
OPEN = (BookingState.PENDING, BookingState.CONFIRMED)
# These have no claim on the payment that they name: it may buy another session.
GIVES_PAYMENT_BACK = (BookingState.EXPIRED, BookingState.REJECTED)
# These are over.
SETTLED = (BookingState.COMPLETED, BookingState.NO_SHOW, BookingState.CANCELLED)
# Nothing came of these: they name their client for a shorter time than sessions do.
UNBOOKED = (BookingState.EXPIRED, BookingState.REJECTED)


class ImpossibleMove(Exception):
    """A booking was to move in a way that the table does not allow: a fault in our code."""


# What stands in `payment_status`, for people: the payment's state when it was spent, or that there is none.
PAID = {
    "not_required": "Nothing to pay",
    "unpaid": "Not paid",
    "created": "Not paid",
    "pending": "Under way",
    "captured": "Paid",
    "failed": "Failed",
    "expired": "Not paid",
}


class ReminderKind(models.TextChoices):
    """How long before a session its client is reminded."""

    DAY = "day", "a day before"
    HOUR = "hour", "an hour before"
