"""All that ever happened to a payment, in order: what an auditor, or a person on the telephone, asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.mail.models import SentMail
from mindfulqalb.mail.states import LEFT_THE_HOUSE
from mindfulqalb.webhooks.models import WebhookDelivery

if TYPE_CHECKING:
    from datetime import datetime

    from payments.models import Payment

Source = Callable[["Payment"], Iterable["Moment"]]
_sources: list[Source] = []


@dataclass(frozen=True, order=True)
class Moment:
    """One thing that happened; it names no person."""

    at: datetime
    what: str
    by: str = ""
    details: str = ""


def tells_of_payments(source: Source) -> Source:
    """Register who else knows something about payments: apps that payments has never heard of."""
    _sources.append(source)
    return source


def timeline(payment: Payment) -> list[Moment]:
    """Tell what happened to a payment, oldest first."""
    asked = Moment(payment.created_at, "payment.asked", "client", f"{payment.price} {payment.provider_order_id or ''}")
    told = [moment for source in _sources for moment in source(payment)]
    return sorted([asked, *recorded_about(f"payment:{payment.id}"), *told], key=lambda moment: moment.at)


def recorded_about(*subjects: str) -> list[Moment]:
    """Collect audit events, webhooks and mails about subjects, each `kind:<id>`."""
    audited = AuditEvent.objects.filter(target__in=subjects)
    webhooks = WebhookDelivery.objects.filter(about__in=subjects).defer("body")
    mails = SentMail.objects.filter(about__in=subjects, state__in=LEFT_THE_HOUSE).defer("content")
    return [
        *(Moment(event.occurred_at, event.action, event.actor, _said(event)) for event in audited),
        *(Moment(each.received_at, f"webhook {each.event_type}", f"vendor:{each.vendor}") for each in webhooks),
        *(Moment(mail.sent_at, f"mail {mail.template}", "system") for mail in mails),
    ]


def _said(event: AuditEvent) -> str:
    details = event.details or {}  # None once its payload is erased
    return ", ".join(f"{name} {value}" for name, value in sorted(details.items()) if value not in (None, ""))
