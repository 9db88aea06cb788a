"""How the back office speaks of sessions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from bookings.practice_time import local
from mindfulqalb.staff.subjects import teach_kind
from mindfulqalb.staff.words import Topic, teach, tells_details

if TYPE_CHECKING:
    from collections.abc import Mapping

teach_kind("booking", "Session", "bookings.booking")
teach_kind("calendar_finding", "Calendar finding", "bookings.calendarfinding")
teach_kind("reminder", "Reminder", "bookings.reminder")
teach(
    Topic.ACT,
    {
        "booking.held": "The time was kept while the client pays",
        "booking.placed": "Booked, and being written into the calendar",
        "booking.confirmed": "Confirmed: it stands in the calendar",
        "booking.confirmed_again": "Staff had it confirmed again",
        "booking.rejected": "The calendar refused it",
        "booking.expired": "The time was let go: nobody paid in time",
        "booking.cancelled": "Cancelled",
        "booking.completed": "It took place",
        "booking.missed": "The client did not come",
        "booking.move_requested": "Another time was asked for",
        "booking.moved": "Moved to another time",
        "booking.move_refused": "The calendar refused the other time",
        "booking.move_given_up": "The other time was let go: the calendar never gave it",
        "booking.address_corrected": "The client's address was corrected; earlier links ended",
        "booking.client_corrected": "The client's details were corrected",
        "booking.given_up_by_practice": "Staff answered that the practice had changed it in the calendar",
        "booking.asked_again": (
            "Somebody asked for another free call with this email: the confirmation went out once more"
        ),
        "booking.put_back": "The calendar was asked to put it back to its time here",
        "booking.buffer_shortened": "Its buffer was shortened: the therapist has moved a session into it",
        "calendar.finding_settled": "What did not agree with the calendar was settled by hand",
        "payment.payer_unknown": "Nobody knows where to write to about this money: it stands in the Ledger",
        "payment.told_unclaimed": "The client is told that the money waits for a time",
        "payment.told_credit_ending": "The client is told that the money soon goes back",
        "reminders.stopped": "The client wants no more reminders",
        "reminders.resumed": "The client wants reminders again",
    },
)
# https://cal.com/docs/developing/guides/automation/webhooks
teach(
    Topic.NEWS,
    {
        "BOOKING_CREATED": "the appointment was made",
        "BOOKING_CONFIRMED": "the appointment was confirmed",
        "BOOKING_REQUESTED": "the appointment waits for the therapist's yes",
        "BOOKING_RESCHEDULED": "the appointment was moved",
        "BOOKING_CANCELLED": "the appointment was cancelled",
        "BOOKING_REJECTED": "the therapist said no to the appointment",
        "BOOKING_NO_SHOW_UPDATED": "somebody noted who came",
        "BOOKING_PAID": "the appointment was paid",
        "MEETING_STARTED": "the session began",
        "MEETING_ENDED": "the session ended",
    },
)
teach(
    Topic.MAIL,
    {
        "address_corrected": "the email address was changed, to the old one",
        "cancelled": "the session is cancelled",
        "confirmation": "the session is confirmed",
        "consent_withdrawn": "the consent is withdrawn",
        "consent_withdrawn_staff": "a client has withdrawn their consent, to the practice",
        "ledger": "the day's books, to the practice",
        "moved": "the session was moved",
        "not_moved": "the session could not be moved",
        "not_moved_staff": "a session could not be moved, to the practice",
        "pending": "the confirmation takes longer",
        "receipt": "the receipt",
        "refunded": "the refund",
        "reminder": "the reminder",
        "slot_lost": "the time is taken, and another can be chosen",
        "unplaced": "the money waits for a time",
    },
)
teach(
    Topic.WORK,
    {
        "calendar.create": "write it into the calendar",
        "calendar.move": "move it in the calendar",
        "calendar.cancel": "take it out of the calendar",
        "calendar.put_back": "put it back in the calendar",
        "calendar.attendance": "tell the calendar who came",
        "consent.withdrawn": "tell the client that their consent is withdrawn",
        "consent.withdrawn.staff": "tell the practice that a client has withdrawn their consent",
        "email.address_corrected": "tell the old address that it was changed",
        "email.cancelled": "tell the client that it is cancelled",
        "email.confirmation": "send the confirmation and the receipt",
        "email.credit_ending": "tell the client that the money soon goes back",
        "email.ledger": "send the day's books to the practice",
        "email.moved": "tell the client the new time",
        "email.not_moved": "tell the client that it could not be moved",
        "email.not_moved.staff": "tell the practice that it could not be moved",
        "email.pending": "tell the client that the confirmation takes longer",
        "email.reminder": "remind the client",
        "email.slot_lost": "tell the client that the time is taken",
        "email.unclaimed": "tell the client that the money waits for a time",
        "refund.processed": "tell the client that the refund went out",
        "webhook.calcom": "act on a message from Cal.com",
    },
)


@tells_details()
def times(details: Mapping[str, Any]) -> str:
    """Tell from when to when it was moved."""
    return ", ".join(f"{word} {_when(details[word])}" for word in ("from", "to") if word in details)


@tells_details(is_money=True)
def returned(details: Mapping[str, Any]) -> str:
    """Tell what a cancellation gave back."""
    if "percent" not in details:
        return ""
    return f"{details['percent']} % of the price goes back" if details.get("refund") else "no refund with it"


def _when(moment: str) -> str:
    return f"{local(datetime.fromisoformat(moment)):%a %d %b %Y, %H:%M}"
