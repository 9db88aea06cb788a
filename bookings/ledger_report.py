"""The books as people read them: yesterday, this month, ever, and what needs a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from bookings.ledger import ledger, needing_a_person
from bookings.practice_time import day_bounds, local
from bookings.shared_memory import shared_memory
from mindfulqalb.mail.services import Letter

if TYPE_CHECKING:
    from datetime import date, datetime

CLOSED = "ledger:closed"
KEPT_SECONDS = 3600  # the beat closes them anew long before


def books_at_a_glance(*, day: date) -> list[dict[str, Any]]:
    """Show the books of a day as they are, and those of its month and of all time as they were closed last."""
    known = shared_memory().recall([CLOSED]).get(CLOSED)
    if known is None or known["day"] != day:
        known = close_books(day=day, now=timezone.now())
    return [_books_of(day, first=day), *known["parts"]]


def close_books(*, day: date, now: datetime) -> dict[str, Any]:
    """Add up a month, and all that was ever captured, which reads every payment; keep it for who looks at the books."""
    month = _books_of(day, first=day.replace(day=1))
    ever = {"title": "All that was ever captured", "lines": ledger()}
    parts = [{**part, "title": f"{part['title']}, as of {local(now):%H:%M}"} for part in (month, ever)]
    closed = {"day": day, "parts": parts}
    shared_memory().keep(CLOSED, closed, seconds=KEPT_SECONDS)
    return closed


def ledger_report(*, day: date) -> dict[str, Any]:
    """Close the books of a day, of its month so far, and of all time."""
    ever = {"title": _("All that was ever captured"), "lines": ledger()}
    parts = [_books_of(day, first=day), _books_of(day, first=day.replace(day=1)), ever]
    return {
        "day": day.isoformat(),
        "parts": parts,
        "waiting": needing_a_person(),
        "is_balanced": not any(line.difference for part in parts for line in part["lines"]),
    }


def _books_of(day: date, *, first: date) -> dict[str, Any]:
    since, until = day_bounds(first)[0], day_bounds(day)[1]
    title = day.isoformat() if first == day else f"{day:%Y-%m}"
    return {"title": title, "lines": ledger(since=since, until=until)}


def ledger_letter(*, day: date) -> Letter:
    """Report to whoever keeps the books; it names payments, and no person."""
    address = f"{settings.SITE_URL}{reverse('admin:bookings_ledgerentry_changelist')}"
    return Letter(
        template="ledger",
        recipient=settings.FINANCE_EMAIL,
        context=ledger_report(day=day) | {"admin_url": address},
        about=f"ledger:{day.isoformat()}",
    )
