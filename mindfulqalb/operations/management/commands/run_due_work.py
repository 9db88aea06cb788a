"""Do the beat's work once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mindfulqalb.operations.due_work import run_due_work

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """`manage.py run_due_work`, each minute by cron, in place of beat and worker; harmless beside them."""

    help = "Do what beat would have the workers do now: deliver what is due, let go, reconcile, seal, send back."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take --everything."""
        parser.add_argument("--everything", action="store_true", help="also what is not due yet")

    def handle(self, *args: Any, everything: bool = False, **options: Any) -> None:
        """Run, print each task, and fail when one of them did."""
        done = []
        for run in run_due_work(now=timezone.now(), everything=everything):
            done.append(run)
            self.stdout.write(f"{run.task}: {run.error or 'done'}")
        failed = [run.task for run in done if run.error]
        if failed:
            raise CommandError(f"{len(failed)} of {len(done)} failed: {', '.join(failed)}")
