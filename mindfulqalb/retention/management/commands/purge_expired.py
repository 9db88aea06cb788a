"""Take away what is kept no longer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from mindfulqalb.retention.copies import read_copies
from mindfulqalb.retention.measuring import measured
from mindfulqalb.retention.purging import CHUNK_ROWS, count_expired, purge_expired
from mindfulqalb.retention.replay import replay_tombstones

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mindfulqalb.retention.measuring import Longest
    from mindfulqalb.retention.models import Tombstone
    from mindfulqalb.retention.purging import Purged


class Command(BaseCommand):
    """`manage.py purge_expired`: beside a live server; cut off anywhere and run again, it ends the same."""

    help = "Purge what the retention timetable keeps no longer, a chunk at a time; tombstones say what went."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --dry-run, --measure, --replay, --copies and --chunk."""
        parser.add_argument("--measure", action="store_true", help="say how long the longest statement took")
        parser.add_argument("--chunk", type=int, default=CHUNK_ROWS, help=f"rows per transaction, to {CHUNK_ROWS}")
        parser.add_argument("--dry-run", action="store_true", help="count what would go, and take nothing")
        parser.add_argument("--replay", action="store_true", help="after a restored backup: let go what had gone")
        parser.add_argument(
            "--copies",
            type=Path,
            default=settings.RETENTION_TOMBSTONE_DIRECTORY or None,
            help="directory of tombstones for --replay (default: RETENTION_TOMBSTONE_DIRECTORY)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Count, replay or purge."""
        now, actor = timezone.now(), "system"
        if not 1 <= options["chunk"] <= CHUNK_ROWS:
            raise CommandError(f"--chunk must be between 1 and {CHUNK_ROWS}")
        if options["dry_run"]:
            self._print_counts(count_expired(now=now))
        elif options["replay"]:
            copies = _copies_in(options["copies"])
            self._show(replay_tombstones(copies=copies, actor=actor, now=now), {})
        else:
            expected = count_expired(now=now)
            with measured() as longest:
                self._show(purge_expired(now=now, actor=actor, chunk_rows=options["chunk"]), expected)
            if options["measure"]:
                self._print_longest(longest)

    def _print_counts(self, counts: dict[str, int]) -> None:
        for name, count in counts.items():
            if count:
                self.stdout.write(f"{name}: {count}")
        self.stdout.write(f"{sum(counts.values())} rows would go")

    def _print_longest(self, longest: Longest) -> None:
        self.stdout.write(
            f"{longest.count} statements; the longest took {longest.milliseconds:.0f} ms: {longest.statement[:200]}"
        )

    def _show(self, steps: Iterable[Purged], expected: dict[str, int]) -> None:
        done: dict[str, int] = {}
        for step in steps:
            name = step.task.name
            done[name] = done.get(name, 0) + step.row_count
            of = f" of {max(expected[name], done[name])}" if name in expected else ""
            self.stdout.write(f"{name}: {done[name]}{of}")
        self.stdout.write(self.style.SUCCESS(f"{sum(done.values())} rows went"))


def _copies_in(directory: Path | None) -> list[Tombstone]:
    if directory is None:
        return []
    try:
        return read_copies(directory)
    except (OSError, ValueError) as error:
        raise CommandError(f"the tombstones in {directory} cannot be read: {error}") from error
