"""Ask Cal.com about everything that has changed there."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from bookings.services.reconciliation import look_for_missing, reconcile_since
from mindfulqalb.vendors.errors import ProviderError

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

TELL_EVERY = 25


class Command(BaseCommand):
    """`manage.py reconcile_calendar --since 2026-11-01`: safe at any time, and as often as you like."""

    help = "Take over what has changed in the calendar since a day, and look for sessions that it does not have."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the day to begin at."""
        parser.add_argument("--since", required=True, help="First day of the changes, YYYY-MM-DD (UTC).")

    def handle(self, *args: Any, since: str, **options: Any) -> None:
        """Ask, show progress, and fail when the calendar does not answer."""
        now = timezone.now()
        outcomes: Counter[str] = Counter()
        try:
            for number, outcome in enumerate(reconcile_since(since=_midnight(since), now=now), start=1):
                outcomes[outcome] += 1
                if number % TELL_EVERY == 0:
                    self.stdout.write(f"{number} looked at: {_told(outcomes)}")
            missing = look_for_missing(now=now)
        except ProviderError as error:
            raise CommandError(f"{_told(outcomes)}; then {error}. Run it again.") from error
        self.stdout.write(f"Looked at {outcomes.total()}: {_told(outcomes)}; missing in the calendar: {missing}.")


def _told(outcomes: Counter[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())) or "nothing"


def _midnight(text: str) -> datetime:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"--since must be a day like 2026-11-01, not {text!r}")
    return datetime.combine(day, time.min, tzinfo=UTC)
