"""Close the books, and say whether they balance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date

from bookings.ledger import ledger, needing_a_person
from bookings.practice_time import day_bounds

if TYPE_CHECKING:
    from datetime import date

    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py report_ledger --since 2026-11-01 --until 2026-11-30`: only looks; fails when a paisa is missing."""

    help = "Captured = booked + retained + credited + refunded + disputed + needs attention, for each currency."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the days, on the practice's clock, in which the money was captured."""
        parser.add_argument("--since", help="First day, YYYY-MM-DD; default: the first of all.")
        parser.add_argument("--until", help="Last day, YYYY-MM-DD; default: today.")

    def handle(self, *args: Any, since: str | None = None, until: str | None = None, **options: Any) -> None:
        """Print the lines and what needs a person."""
        span = {
            "since": day_bounds(_day(since, "--since"))[0] if since else None,
            "until": day_bounds(_day(until, "--until"))[1] if until else None,
        }
        lines = ledger(**span)
        for line in lines:
            self.stdout.write("".join(f"{name:<16}{amount!s:>22}\n" for name, amount in line.figures))
        for payment in needing_a_person(**span):
            self.stdout.write(f"needs a person: {payment} {payment.captured} {payment.get_attention_display()}")
        if any(line.difference for line in lines):
            raise CommandError("The books do not balance.")
        self.stdout.write(f"The books balance: {len(lines)} currencies.")


def _day(text: str, name: str) -> date:
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"{name} must be a day like 2026-11-01, not {text!r}")
    return day
