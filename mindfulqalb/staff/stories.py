"""What happened to a thing, for a person who was not there: from the audit trail, webhooks, mails and the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.html import format_html, format_html_join

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.states import LEFT_THE_HOUSE
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State
from mindfulqalb.practice_clock import practice_zone
from mindfulqalb.staff.names import actors_in_words
from mindfulqalb.staff.words import Topic, details_in_words, in_words
from mindfulqalb.webhooks.models import WebhookDelivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


@dataclass(frozen=True)
class Chapter:
    """One thing that happened, in words; it names no client."""

    at: datetime
    what: str
    by: str = ""
    more: str = ""

    @property
    def byline(self) -> str:
        """Who it was, and what else there is to say."""
        return ", ".join(filter(None, [f"by {self.by}" if self.by else "", self.more]))


def chapters_about(subjects: Sequence[str], *, with_money: bool, with_reasons: bool) -> list[Chapter]:
    """Tell what happened to subjects, each `kind:<id>`, and what is still to come, oldest first.

    The reasons that staff gave may name a client: they are for those who may see who it is.
    """
    told = [
        *_recorded(subjects, with_money=with_money, with_reasons=with_reasons),
        *_heard(subjects),
        *_mailed(subjects),
        *_left_to_do(subjects),
    ]
    return in_order(told)


def in_order(chapters: Iterable[Chapter]) -> list[Chapter]:
    """Put the oldest first."""
    return sorted(chapters, key=lambda chapter: chapter.at)


def written(chapters: Iterable[Chapter]) -> str:
    """Write a story down for a page, on the practice's clock."""
    zone = practice_zone()
    lines = ((f"{each.at.astimezone(zone):%a %d %b %Y, %H:%M:%S}", each.what, each.byline) for each in chapters)
    return format_html("<ol>{}</ol>", format_html_join("", "<li>{} <strong>{}</strong> {}</li>", lines))


def _recorded(subjects: Sequence[str], *, with_money: bool, with_reasons: bool) -> list[Chapter]:
    events = list(AuditEvent.objects.filter(target__in=subjects))
    names = actors_in_words(event.actor for event in events)
    chapters = []
    for event in events:
        more = [*details_in_words(event.details or {}, with_money=with_money)]  # None once its payload is erased
        if with_reasons and event.reason:
            more.append(f"because: {event.reason}")
        what = _sentence(in_words(Topic.ACT, event.action))
        chapters.append(Chapter(event.occurred_at, what, names[event.actor], ", ".join(more)))
    return chapters


def _heard(subjects: Sequence[str]) -> list[Chapter]:
    deliveries = WebhookDelivery.objects.filter(about__in=subjects).defer("body")
    return [Chapter(each.received_at, _heard_from(each)) for each in deliveries]


def _mailed(subjects: Sequence[str]) -> list[Chapter]:
    mails = SentMail.objects.filter(about__in=subjects, state__in=LEFT_THE_HOUSE).defer("content")
    return [Chapter(mail.sent_at, f"Mail sent: {in_words(Topic.MAIL, mail.template)}") for mail in mails]


def _left_to_do(subjects: Sequence[str]) -> list[Chapter]:
    """Tell what waits, and what was given up: two questions, because each has an index of its own."""
    lanes = [lane for subject in subjects for lane in (subject, f"{subject}:news")]
    waiting = OutboxMessage.objects.filter(lane__in=lanes, state=State.PENDING)
    dead = OutboxMessage.objects.filter(lane__in=lanes, state=State.DEAD)
    return [
        *(Chapter(each.due_at, f"To be done: {_work(each)}", more=_tries(each)) for each in waiting),
        *(Chapter(each.finished_at or each.due_at, f"Given up: {_work(each)}", more=_tries(each)) for each in dead),
    ]


def _heard_from(delivery: WebhookDelivery) -> str:
    vendor = in_words(Topic.VENDOR, delivery.vendor)
    return f"{vendor} told us: {in_words(Topic.NEWS, delivery.event_type)}"


def _work(message: OutboxMessage) -> str:
    return in_words(Topic.WORK, message.topic)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _tries(message: OutboxMessage) -> str:
    return f"tried {message.attempts} times, last: {message.last_error}" if message.attempts else ""
