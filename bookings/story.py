"""The story of one session, for a person who was not there: what happened, when, by whom, and what is still to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bookings.credits import payments_of
from bookings.practice_time import local
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.states import LEFT_THE_HOUSE
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.staff.names import members_of
from mindfulqalb.webhooks.models import WebhookDelivery
from payments.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bookings.models import Booking

SAID = {
    "booking.held": "The time was kept while the client pays",
    "booking.placed": "Booked, and being written into the calendar",
    "booking.confirmed": "Confirmed: it stands in the calendar",
    "booking.confirmed_again": "Staff had it confirmed again",
    "booking.asked_again": "Somebody asked for another free call with this email: the confirmation went out once more",
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
    "calendar.finding_settled": "What did not agree with the calendar was settled by hand",
    "booking.given_up_by_practice": "Staff answered that the practice had changed it in the calendar",
    "booking.put_back": "The calendar was asked to put it back to its time here",
    "booking.buffer_shortened": "Its buffer was shortened: the therapist has moved a session into it",
    "payment.captured": "The money arrived",
    "payment.accepted": "The payment was accepted as it was",
    "receipt.issued": "A receipt was issued",
    "receipt.seen": "The receipt was looked at",
    "refund.requested": "A refund was asked for",
    "refund.found": "A refund was found that was made by hand",
    "refund.processed": "The refund went out",
    "refund.failed": "The refund failed",
    "personal_data.read": "The client's details were looked at",
}
ACTORS = {"client": "the client", "system": "the system"}


@dataclass(frozen=True)
class Chapter:
    """One thing that happened, in words; it names no client."""

    at: datetime
    what: str
    by: str = ""
    more: str = ""


def story_of(booking: Booking, *, with_money: bool) -> list[Chapter]:
    """Tell what happened to a session, oldest first; amounts and payments only to those whose work is money."""
    subjects = [f"booking:{booking.id}"]
    if with_money:
        subjects += [f"payment:{payment.id}" for payment in payments_of(booking)]
    told = [*_recorded(subjects, with_money=with_money), *_heard(subjects), *_mailed(subjects), *_left_to_do(subjects)]
    return sorted(told, key=lambda chapter: chapter.at)


def _recorded(subjects: Iterable[str], *, with_money: bool) -> list[Chapter]:
    events = list(AuditEvent.objects.filter(target__in=subjects))
    names = _names(event.actor for event in events)
    return [
        Chapter(event.occurred_at, _in_words(event.action), names[event.actor], _more(event, with_money=with_money))
        for event in events
    ]


def _heard(subjects: Iterable[str]) -> list[Chapter]:
    deliveries = WebhookDelivery.objects.filter(about__in=subjects).defer("body")
    return [Chapter(each.received_at, f"{each.vendor} told us: {each.event_type}", each.vendor) for each in deliveries]


def _mailed(subjects: Iterable[str]) -> list[Chapter]:
    mails = SentMail.objects.filter(about__in=subjects, state__in=LEFT_THE_HOUSE).defer("content")
    return [Chapter(mail.sent_at, f"Mail sent: {_plain(mail.template)}", ACTORS["system"]) for mail in mails]


def _left_to_do(subjects: Iterable[str]) -> list[Chapter]:
    """Tell what waits, and what was given up: two questions, because each has an index of its own."""
    lanes = [lane for subject in subjects for lane in (subject, f"{subject}:news")]
    waiting = OutboxMessage.objects.filter(lane__in=lanes, state=State.PENDING)
    dead = OutboxMessage.objects.filter(lane__in=lanes, state=State.DEAD)
    return [
        *(Chapter(each.due_at, f"To be done: {_plain(each.topic)}", more=_tries(each)) for each in waiting),
        *(
            Chapter(each.finished_at or each.due_at, f"Given up: {_plain(each.topic)}", more=_tries(each))
            for each in dead
        ),
    ]


def _names(actors: Iterable[str]) -> dict[str, str]:
    """Say who it was: staff by name, vendors and the rest in words."""
    known = {actor: ACTORS.get(actor, actor.removeprefix("vendor:")) for actor in actors}
    members = members_of(known)
    return known | {actor: member.get_full_name() or member.username for actor, member in members.items()}


def _in_words(action: str) -> str:
    return SAID.get(action) or _plain(action).capitalize()


def _plain(name: str) -> str:
    return name.replace(".", " ").replace("_", " ")


def _more(event: AuditEvent, *, with_money: bool) -> str:
    details: Mapping[str, Any] = event.details or {}
    parts = [f"from {_when(details['from'])}"] if "from" in details else []
    parts += [f"to {_when(details['to'])}"] if "to" in details else []
    if with_money and "percent" in details:
        parts.append(f"{details['percent']} % of the price goes back" if details.get("refund") else "no refund with it")
    if with_money and "amount" in details and "currency" in details:
        parts.append(str(Money(details["amount"], details["currency"])))
    if event.reason:
        parts.append(f"because: {event.reason}")
    return ", ".join(parts)


def _when(moment: str) -> str:
    return f"{local(datetime.fromisoformat(moment)):%a %d %b %Y, %H:%M}"


def _tries(message: OutboxMessage) -> str:
    return f"tried {message.attempts} times, last: {message.last_error}" if message.attempts else ""
