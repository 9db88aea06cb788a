"""How the back office speaks of what the machinery calls by dotted names.

Each app names its own in a module `words`, which is imported at the start. What nobody has named is shown by its name
without the dots: a new act is told the day that it is recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class Topic(StrEnum):
    """What there are names of."""

    ACT = "act"  # an audit event's action, as a sentence
    NEWS = "news"  # a webhook's event type, after "... told us:"
    MAIL = "mail"  # a mail's template, after "Mail sent:"
    WORK = "work"  # an outbox message's topic, after "To be done:"
    VENDOR = "vendor"
    RECORD = "record"  # a kind of record that retention keeps and lets go
    PLACE = "place"  # a jurisdiction


Details = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Detail:
    """A way to tell an audit event's details, empty where it has nothing to tell; money is not for everybody."""

    tell: Details
    is_money: bool


_words: dict[Topic, dict[str, str]] = defaultdict(dict)
_details: list[Detail] = []


def teach(topic: Topic, words: Mapping[str, str]) -> None:
    """Say how people speak of these."""
    _words[topic].update(words)


def tells_details(*, is_money: bool = False) -> Callable[[Details], Details]:
    """Register a way to tell details of audit events."""

    def register(tell: Details) -> Details:
        _details.append(Detail(tell, is_money))
        return tell

    return register


def in_words(topic: Topic, name: str) -> str:
    """Say how people speak of something."""
    return _words[topic].get(name) or name.replace(".", " ").replace("_", " ")


def knows(topic: Topic, name: str) -> bool:
    """Whether somebody has found words for it."""
    return name in _words[topic]


def details_in_words(details: Mapping[str, Any], *, with_money: bool) -> Iterable[str]:
    """Tell all that is told of an event's details."""
    told = (each.tell(details) for each in _details if with_money or not each.is_money)
    return [text for text in told if text]


def called(topic: Topic) -> Callable[[str], str]:
    """Make the function that says how people speak of things of one topic, as the beginning of a line."""
    return lambda name: in_words(topic, name)[:1].upper() + in_words(topic, name)[1:]


def called_with_code(topic: Topic) -> Callable[[str], str]:
    """Make the same with the name by which exports and searches know it: several may be called alike."""
    return lambda name: f"{called(topic)(name)} ({name})"


teach(Topic.VENDOR, {"calcom": "Cal.com", "razorpay": "Razorpay", "stripe": "Stripe"})
teach(
    Topic.ACT,
    {
        "mail.resent": "A mail was sent once more",
        "outbox.revived": "What had been given up is tried again",
        "personal_data.read": "The client's details were looked at",
        "webhook.reprocessed": "A vendor's message was worked on again",
    },
)
teach(Topic.PLACE, {"IN": "India", "EU": "European Union", "US": "United States"})
teach(
    Topic.RECORD,
    {
        "audit_event": "what audit events tell",
        "booking": "sessions",
        "bulk_action": "actions over many rows",
        "calendar_finding": "calendar findings",
        "consent": "consent records",
        "kept_answer": "answers kept for repeated calls",
        "known_device": "browsers that staff logged in from",
        "mail": "mails",
        "outbox": "outbox messages",
        "payment": "payments",
        "receipt": "receipts",
        "refresh_token": "programs' refresh tokens",
        "reminder_refusal": "wishes for no reminders",
        "session": "logins of staff",
        "subject_request": "subject requests",
        "unbooked": "holds that came to nothing",
        "webhook": "webhook deliveries",
    },
)
teach(
    Topic.WORK,
    {
        "bulk_action.work": "do an action to many rows",
        "email.codes_refused": "tell of wrong codes for an account",
        "email.copy": "send a mail once more",
        "email.new_device": "tell of a login from a new device",
    },
)
teach(Topic.MAIL, {"codes_refused": "wrong codes for an account", "new_device": "a login from a new device"})
