"""Measure how long the lists of the back office take."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.test.utils import override_settings

from mindfulqalb.staff.list_timing import looks, milliseconds, visitor

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

MOST_MILLISECONDS = 300
MOST_RATIO = 1.3
# Between two runs on a machine that others use too, so much is chance.
CHANCE = 10
AS_FAST_AS_IT_GOES: dict[str, Any] = {
    "DEBUG": False,
    "STAFF_SECOND_FACTOR_REQUIRED": False,
    "RATE_LIMITS": settings.RATE_LIMITS | {"staff": "1000000/m"},
}


class Command(BaseCommand):
    """`manage.py benchmark_lists --write small.json`, then, on a longer past, `--against small.json`."""

    help = "Open every list, page end, filter and search of the admin and its first page, and say how long each took."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how often, and the files to write and to compare with."""
        parser.add_argument("--times", type=int, default=5, help="how often each; the fastest counts (%(default)s)")
        parser.add_argument("--write", type=Path, help="keep the figures in this file, as JSON")
        parser.add_argument("--against", type=Path, help="the figures of a shorter past, to be compared with")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, print the slowest first, and fail where a goal is missed."""
        if not settings.DEVELOPMENT:
            raise CommandError("It opens what staff open, as nobody in particular: not in production.")
        before = _read(options["against"])
        figures = self._measure(options["times"])
        missed = [name for name, taken in figures.items() if not _is_met(taken, before.get(name))]
        for name, taken in sorted(figures.items(), key=lambda each: -each[1]):
            self.stdout.write(_line(name, taken, before.get(name), is_met=name not in missed))
        if options["write"]:
            options["write"].write_text(json.dumps(figures, indent=1))
        if missed:
            raise CommandError(f"{len(missed)} of {len(figures)} looks miss their goal.")
        self.stdout.write(self.style.SUCCESS(f"{len(figures)} looks, all within their goals."))

    def _measure(self, times: int) -> dict[str, float]:
        logging.disable(logging.INFO)  # a line for each page would drown the figures
        try:
            with override_settings(**AS_FAST_AS_IT_GOES), visitor() as client:
                return {look.name: milliseconds(client, look, times=times) for look in looks(client)}
        finally:
            logging.disable(logging.NOTSET)


def _read(file: Path | None) -> dict[str, float]:
    try:
        return json.loads(file.read_text()) if file else {}
    except (OSError, ValueError) as error:
        raise CommandError(f"--against: {error}") from error


def _is_met(taken: float, before: float | None) -> bool:
    return taken < MOST_MILLISECONDS and (before is None or taken <= max(before * MOST_RATIO, before + CHANCE))


def _line(name: str, taken: float, before: float | None, *, is_met: bool) -> str:
    ratio = f"{taken / before:6.2f} x" if before else " " * 8
    return f"{taken:8.1f} ms {ratio}  {'  ' if is_met else '! '}{name}"
