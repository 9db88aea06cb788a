"""The books as people read them: yesterday, this month, ever, and what needs a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from bookings.ledger import ledger, needing_a_person
from bookings.practice_time import day_bounds
from mindfulqalb.mail.services import Letter

if TYPE_CHECKING:
    from datetime import date


def ledger_report(*, day: date) -> dict[str, Any]:
    """Close the books of a day, of its month so far, and of all time."""
    since, until = day_bounds(day)
    month, _end = day_bounds(day.replace(day=1))
    parts: list[dict[str, Any]] = [
        {"title": day.isoformat(), "lines": ledger(since=since, until=until)},
        {"title": f"{day:%Y-%m}", "lines": ledger(since=month, until=until)},
        {"title": _("All that was ever captured"), "lines": ledger()},
    ]
    return {
        "day": day.isoformat(),
        "parts": parts,
        "waiting": needing_a_person(),
        "is_balanced": not any(line.difference for part in parts for line in part["lines"]),
    }


def ledger_letter(*, day: date) -> Letter:
    """Report to whoever keeps the books; it names payments, and no person."""
    address = f"{settings.SITE_URL}{reverse('admin:bookings_ledgerentry_changelist')}"
    return Letter(
        template="ledger",
        recipient=settings.FINANCE_EMAIL,
        context=ledger_report(day=day) | {"admin_url": address},
        about=f"ledger:{day.isoformat()}",
    )
