"""Ask the gateways about every payment without an end."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from payments.reconciliation import refresh_disputes, refresh_payments, suspicious_payments

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py reconcile_payments --since 2026-11-01`: safe at any time, and as often as you like."""

    help = "Ask the gateways about payments that have no end yet, and about refunds under way."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the day to begin at."""
        parser.add_argument("--since", help="First day to ask about, YYYY-MM-DD (UTC); default: five days ago.")

    def handle(self, *args: Any, since: str | None = None, **options: Any) -> None:
        """Ask, show progress, and fail when something could not be asked about."""
        now = timezone.now()
        found = suspicious_payments(now=now, since=_midnight(since) if since else None)
        failed = 0
        for number, payment in enumerate(refresh_payments(found, now=now), start=1):
            failed += payment is None
            told = f"{payment}: {payment.state.lower()}" if payment else "no answer, or a fault of ours: see the log"
            self.stdout.write(f"{number}/{len(found)} {told}")
        self.stdout.write(f"Asked about {len(found)} payments.")
        failed += sum(found is None for found in refresh_disputes(now=now))
        if failed:
            raise CommandError(f"{failed} could not be asked about; run it again.")


def _midnight(text: str) -> datetime:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"--since must be a day like 2026-11-01, not {text!r}")
    return datetime.combine(day, time.min, tzinfo=UTC)
